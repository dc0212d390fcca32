//! An ordered map that is cheap to clone, and stays cheap when the clone is changed.
//!
//! In: keys and values. Out: the map that a [`Model`](crate::Model) is made of. The entries lie in
//! sorted chunks of at most [`FULL`]; clones share them, and a change copies the chunk that it is
//! in and the list of chunks: with 60,000 entries some microseconds, where copying a `BTreeMap`
//! takes milliseconds. Not a general collection: it has what the model needs.

use std::fmt;
use std::sync::Arc;

/// Most entries of a chunk; one that has more is halved.
const FULL: usize = 64;
/// A chunk with fewer joins its left neighbour, if both fit into one half.
const SPARSE: usize = FULL / 4;

/// Never empty.
type Chunk<K, V> = Arc<Vec<(K, V)>>;

/// An ordered map whose clones share what they have in common.
#[derive(Clone)]
pub(crate) struct Shared<K, V> {
    chunks: Arc<Vec<Chunk<K, V>>>,
}

impl<K, V> Default for Shared<K, V> {
    fn default() -> Self {
        Self { chunks: Arc::default() }
    }
}

impl<K, V> Shared<K, V> {
    /// All entries in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.chunks.iter().flat_map(|chunk| chunk.iter()).map(|(key, value)| (key, value))
    }

    /// All values in the order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// All keys in order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }
}

impl<K: Ord, V> Shared<K, V> {
    /// Number of the chunk that a key is in, or would be.
    fn chunk_of<Q: Ord + ?Sized>(&self, key: &Q) -> usize
    where
        K: std::borrow::Borrow<Q>,
    {
        let before = |chunk: &Chunk<K, V>| chunk.first().is_some_and(|(k, _)| k.borrow() <= key);
        self.chunks.partition_point(before).saturating_sub(1)
    }

    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: std::borrow::Borrow<Q>,
    {
        let chunk = self.chunks.get(self.chunk_of(key))?;
        let place = chunk.binary_search_by(|(k, _)| k.borrow().cmp(key)).ok()?;
        chunk.get(place).map(|(_, value)| value)
    }

    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: std::borrow::Borrow<Q>,
    {
        self.get(key).is_some()
    }

    /// The entry with the greatest key that is not above this one.
    pub fn at_or_before(&self, key: &K) -> Option<(&K, &V)> {
        let chunk = self.chunks.get(self.chunk_of(key))?;
        let place = chunk.partition_point(|(k, _)| k <= key).checked_sub(1)?;
        chunk.get(place).map(|(k, value)| (k, value))
    }

    /// The entries from this key on.
    pub fn from(&self, key: &K) -> impl Iterator<Item = (&K, &V)> + use<'_, K, V> {
        let chunk = self.chunk_of(key);
        let place = self.chunks.get(chunk).map_or(0, |c| c.partition_point(|(k, _)| k < key));
        let rest = self.chunks.iter().skip(chunk).flat_map(|chunk| chunk.iter()).skip(place);
        rest.map(|(key, value)| (key, value))
    }
}

impl<K: Ord + Clone, V: Clone> Shared<K, V> {
    /// Sets a value; gives the one that was there.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let number = self.chunk_of(&key);
        let chunks = Arc::make_mut(&mut self.chunks);
        let Some(chunk) = chunks.get_mut(number).map(Arc::make_mut) else {
            chunks.push(Arc::new(vec![(key, value)]));
            return None;
        };
        match chunk.binary_search_by(|(k, _)| k.cmp(&key)) {
            Ok(place) => Some(std::mem::replace(&mut chunk[place].1, value)),
            Err(place) => {
                chunk.insert(place, (key, value));
                if chunk.len() > FULL {
                    let upper = chunk.split_off(FULL / 2);
                    chunks.insert(number + 1, Arc::new(upper));
                }
                None
            }
        }
    }

    /// Takes an entry away; gives its value.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: std::borrow::Borrow<Q>,
    {
        let number = self.chunk_of(key);
        let found = self.chunks.get(number)?;
        let place = found.binary_search_by(|(k, _)| k.borrow().cmp(key)).ok()?;
        let chunks = Arc::make_mut(&mut self.chunks);
        let chunk = Arc::make_mut(&mut chunks[number]);
        let (_, value) = chunk.remove(place);
        match chunk.len() {
            0 => _ = chunks.remove(number),
            1..SPARSE if number > 0 => join(chunks, number),
            _ => {}
        }
        Some(value)
    }

    /// The value of a key, to be changed in place.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: std::borrow::Borrow<Q>,
    {
        let number = self.chunk_of(key);
        let place = self.chunks.get(number)?.binary_search_by(|(k, _)| k.borrow().cmp(key)).ok()?;
        let chunk = Arc::make_mut(&mut self.chunks).get_mut(number)?;
        Arc::make_mut(chunk).get_mut(place).map(|(_, value)| value)
    }
}

/// Puts a sparse chunk behind its left neighbour, unless that makes it more than half full.
fn join<K: Clone, V: Clone>(chunks: &mut Vec<Chunk<K, V>>, number: usize) {
    if chunks[number - 1].len() + chunks[number].len() <= FULL / 2 {
        let sparse = chunks.remove(number);
        Arc::make_mut(&mut chunks[number - 1]).extend(sparse.iter().cloned());
    }
}

/// How the entries lie in chunks depends on their history and does not count.
impl<K: PartialEq, V: PartialEq> PartialEq for Shared<K, V> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.chunks, &other.chunks) || self.iter().eq(other.iter())
    }
}

impl<K: Eq, V: Eq> Eq for Shared<K, V> {}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Shared<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn check(map: &Shared<u16, u16>, wanted: &BTreeMap<u16, u16>) {
        assert!(map.iter().eq(wanted.iter()));
        assert!(map.chunks.iter().all(|chunk| (1..=FULL).contains(&chunk.len())));
        for key in 0..300 {
            assert_eq!(map.get(&key), wanted.get(&key));
            assert_eq!(map.at_or_before(&key), wanted.range(..=key).next_back());
            assert!(map.from(&key).eq(wanted.range(key..)));
        }
    }

    proptest! {
        #[test]
        fn it_is_a_map_and_clones_are_apart(
            steps in prop::collection::vec((any::<bool>(), 0..300u16, any::<u16>()), 0..600)
        ) {
            let (mut map, mut wanted) = (Shared::default(), BTreeMap::new());
            let mut before = (map.clone(), wanted.clone());
            for (number, (put, key, value)) in steps.into_iter().enumerate() {
                if number == 200 {
                    before = (map.clone(), wanted.clone());
                }
                if put {
                    prop_assert_eq!(map.insert(key, value), wanted.insert(key, value));
                } else {
                    prop_assert_eq!(map.remove(&key), wanted.remove(&key));
                }
                if let Some(value) = map.get_mut(&key) {
                    *value ^= 1;
                    *wanted.get_mut(&key).unwrap() ^= 1;
                }
            }
            check(&map, &wanted);
            check(&before.0, &before.1);
            let fresh: Vec<_> = wanted.into_iter().collect();
            let mut copy = Shared::default();
            fresh.into_iter().rev().for_each(|(key, value)| _ = copy.insert(key, value));
            prop_assert_eq!(copy, map);
        }
    }

    #[test]
    fn a_change_copies_the_chunk_that_it_is_in() {
        let mut map = Shared::default();
        (0..60_000u32).for_each(|key| _ = map.insert(key, ()));
        let before = map.clone();
        map.remove(&5);
        map.insert(5, ());
        let old = |chunk| before.chunks.iter().any(|other| Arc::ptr_eq(chunk, other));
        assert_eq!(map.chunks.iter().filter(|chunk| !old(chunk)).count(), 1);
        assert!(map.chunks.len() < 60_000 / (FULL / 2) + 2);
    }
}
