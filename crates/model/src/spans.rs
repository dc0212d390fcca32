//! Sets of addresses as numbers: blocks, and which numbers of both families are taken.
//!
//! In: addresses and blocks. Out: what is free between them. Neighbouring blocks are kept as one,
//! so that finding a gap takes as many steps as there are gaps before it, however many addresses
//! are taken. Knows nothing of pools and leases.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use rpds::RedBlackTreeMapSync as Map;

/// A block of addresses as numbers, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub v6: bool,
    pub first: u128,
    pub last: u128,
}

impl Span {
    /// The address that a number stands for in the span's family.
    pub fn address(&self, number: u128) -> IpAddr {
        match u32::try_from(number) {
            Ok(number) if !self.v6 => IpAddr::V4(Ipv4Addr::from_bits(number)),
            _ => IpAddr::V6(Ipv6Addr::from_bits(number)),
        }
    }

    /// Whether it has an address of its own family.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.v6 == address.is_ipv6() && (self.first..=self.last).contains(&number(address))
    }

    /// What both have in common.
    pub fn meet(self, other: Self) -> Option<Self> {
        let (first, last) = (self.first.max(other.first), self.last.min(other.last));
        (self.v6 == other.v6 && first <= last).then_some(Self { first, last, ..self })
    }
}

/// An address as a number.
pub(crate) fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_bits().into(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// The span of a subnet.
pub(crate) fn span(net: IpNet) -> Span {
    Span {
        v6: matches!(net, IpNet::V6(_)),
        first: number(net.network()),
        last: number(net.broadcast()),
    }
}

/// The span of one address.
pub(crate) fn single(address: IpAddr) -> Span {
    let number = number(address);
    Span { v6: address.is_ipv6(), first: number, last: number }
}

/// Numbers of both families, as blocks that neither overlap nor touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Spans {
    /// Family and first number of a block; its last one.
    blocks: Map<(bool, u128), u128>,
}

impl Spans {
    /// Adds a block; what is in it already stays.
    pub fn insert(&mut self, span: Span) {
        let Span { v6, mut first, mut last } = span;
        let before = first.saturating_sub(1);
        if let Some(left) = self.block_at(v6, before) {
            first = first.min(left.first);
        }
        let reach = last.saturating_add(1);
        let right: Vec<_> = self.overlapping(Span { v6, first, last: reach }).collect();
        for block in right {
            last = last.max(block.last);
            self.blocks.remove_mut(&(v6, block.first));
        }
        self.blocks.insert_mut((v6, first), last);
    }

    /// Takes a block out of the set.
    pub fn remove(&mut self, span: Span) {
        let found: Vec<_> = self.overlapping(span).collect();
        for block in found {
            self.blocks.remove_mut(&(span.v6, block.first));
            if block.first < span.first {
                self.blocks.insert_mut((span.v6, block.first), span.first - 1);
            }
            if block.last > span.last {
                self.blocks.insert_mut((span.v6, span.last + 1), block.last);
            }
        }
    }

    /// The block that a number is in.
    fn block_at(&self, v6: bool, number: u128) -> Option<Span> {
        let ((family, first), last) = self.blocks.range(..=(v6, number)).next_back()?;
        let block = Span { v6: *family, first: *first, last: *last };
        (*family == v6 && number <= block.last).then_some(block)
    }

    /// The blocks that have a number in common with the span, in order.
    pub fn overlapping(&self, span: Span) -> impl Iterator<Item = Span> {
        let start = self.block_at(span.v6, span.first).map_or(span.first, |block| block.first);
        let blocks = self.blocks.range((span.v6, start)..);
        let blocks = blocks.map(|((v6, first), last)| Span { v6: *v6, first: *first, last: *last });
        blocks.take_while(move |block| block.v6 == span.v6 && block.first <= span.last)
    }

    /// The last block that has a number in common with the span.
    pub fn last_overlapping(&self, span: Span) -> Option<Span> {
        let ((v6, first), last) = self.blocks.range(..=(span.v6, span.last)).next_back()?;
        let block = Span { v6: *v6, first: *first, last: *last };
        block.meet(span).map(|_| block)
    }

    #[cfg(test)]
    fn contains(&self, address: IpAddr) -> bool {
        self.block_at(address.is_ipv6(), number(address)).is_some()
    }

    /// The lowest number in a span that is not in the set: one look-up, since blocks don't touch.
    pub fn first_gap(&self, span: Span) -> Option<u128> {
        let next = match self.block_at(span.v6, span.first) {
            Some(block) => block.last.checked_add(1)?,
            None => span.first,
        };
        (next <= span.last).then_some(next)
    }

    /// How many numbers of a span are in the set; saturates.
    pub fn count(&self, span: Span) -> u128 {
        let parts = self.overlapping(span).filter_map(|block| block.meet(span));
        parts.map(|part| (part.last - part.first).saturating_add(1)).fold(0, u128::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn block(first: u128, last: u128) -> Span {
        Span { v6: true, first, last }
    }

    proptest! {
        #[test]
        fn it_is_a_set_of_numbers(
            steps in prop::collection::vec((any::<bool>(), 0..60u128, 0..9u128), 0..60)
        ) {
            let (mut spans, mut wanted) = (Spans::default(), BTreeSet::new());
            for (put, first, more) in steps {
                let span = block(first, first + more);
                if put {
                    spans.insert(span);
                    wanted.extend(first..=first + more);
                } else {
                    spans.remove(span);
                    wanted.retain(|n| !(first..=first + more).contains(n));
                }
            }
            for n in 0..70 {
                let address = block(0, 0).address(n);
                prop_assert_eq!(spans.contains(address), wanted.contains(&n));
                let range = block(n, n + 7);
                let gap = (n..=n + 7).find(|n| !wanted.contains(n));
                prop_assert_eq!(spans.first_gap(range), gap);
                let count = wanted.range(n..=n + 7).count();
                prop_assert_eq!(spans.count(range), u128::try_from(count).unwrap());
            }
            let blocks: Vec<_> = spans.overlapping(block(0, u128::MAX)).collect();
            prop_assert!(blocks.windows(2).all(|pair| pair[0].last + 1 < pair[1].first));
        }
    }

    #[test]
    fn neighbours_are_one_block_and_families_apart() {
        let mut spans = Spans::default();
        for n in 0..60_000u32 {
            spans.insert(single(IpAddr::V4(Ipv4Addr::from_bits(n))));
        }
        let v4 = Span { v6: false, first: 0, last: u128::from(u32::MAX) };
        assert_eq!(spans.overlapping(v4).count(), 1);
        assert_eq!(spans.first_gap(v4), Some(60_000));
        assert_eq!(spans.count(block(0, u128::MAX)), 0);
        spans.remove(single(IpAddr::V4(Ipv4Addr::from_bits(7))));
        assert_eq!((spans.overlapping(v4).count(), spans.first_gap(v4)), (2, Some(7)));
    }

    #[test]
    fn the_ends_of_the_address_space_are_safe() {
        let mut spans = Spans::default();
        spans.insert(block(u128::MAX, u128::MAX));
        spans.insert(block(0, 0));
        assert_eq!(spans.first_gap(block(u128::MAX, u128::MAX)), None);
        assert_eq!(spans.first_gap(block(0, u128::MAX)), Some(1));
        spans.insert(block(0, u128::MAX));
        assert_eq!(spans.count(block(0, u128::MAX)), u128::MAX);
        spans.remove(block(0, 0));
        assert_eq!(spans.first_gap(block(0, u128::MAX)), Some(0));
    }
}
