//! Our tables as a whole: made, kept as they must be, taken away.
//!
//! In: the text of the skeleton once, and the elements that must be there. Out: tables like that, by
//! one transaction, and what it repaired. A table of which only rules or elements were lost is
//! replaced as a whole, elements included: there is no moment without rules.
//!
//! A table that this process owns (Linux 6.9) can be read by all and changed by nobody else, not by
//! `nft flush ruleset` either; when the process ends, it stays, and whoever comes next adopts it.

use std::collections::BTreeMap;
use std::io;

use hawser_hoststate::{Element, ElementData, HostState, Object};

use super::compile::compile;
use super::table::{self, FAMILIES, Found, Table};
use super::{Step, TABLE, commit, encode, family_of};
use crate::error::{Cause, Error};
use crate::netlink::number::{NFT_TABLE_F_OWNER, NFT_TABLE_F_PERSIST};
use crate::netlink::{Message, Socket};

/// How often a repair begins again when others change the table meanwhile.
const ATTEMPTS: usize = 5;

/// Who may change our tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// This process alone, where the kernel can do that (Linux 6.9); else all.
    Sole,
    /// All who may change tables.
    Shared,
}

/// What was not as it must be, and is now. Each is a word for people, as `chain publish of table
/// inet hawser` or `element bridges { "hawser0" }`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repairs {
    /// What was missing.
    pub restored: Vec<String>,
    /// What was too much.
    pub removed: Vec<String>,
}

impl Repairs {
    /// Whether there was nothing to repair.
    pub fn is_empty(&self) -> bool {
        self.restored.is_empty() && self.removed.is_empty()
    }
}

/// The one door to our tables: what writes to them must do it by this socket.
pub(crate) struct Firewall {
    pub(crate) socket: Socket,
    skeleton: Vec<Table>,
    sole: bool,
}

type Elements = BTreeMap<Element, ElementData>;

impl Firewall {
    pub(crate) fn open() -> io::Result<Self> {
        Ok(Self { socket: Socket::netfilter()?, skeleton: Vec::new(), sole: false })
    }

    /// Whether nobody else can change the tables.
    pub(crate) fn is_sole(&self) -> bool {
        self.sole
    }

    /// Learns the skeleton, and makes the tables like it with the elements of `wanted`.
    pub(crate) fn load(
        &mut self,
        texts: &[&str],
        ownership: Ownership,
        wanted: &HostState,
    ) -> Result<Repairs, Error> {
        let compiled = compile(texts)?;
        self.skeleton = compiled.tables;
        self.sole = ownership == Ownership::Sole && compiled.keeps_orphans;
        self.mend(wanted)
    }

    /// Makes the tables like the skeleton, with the elements of `wanted` and no others.
    pub(crate) fn mend(&mut self, wanted: &HostState) -> Result<Repairs, Error> {
        let wanted: Elements = wanted.iter().filter_map(|(_, object)| element(object)).collect();
        let mut last = self.mend_once(&wanted);
        for _ in 1..ATTEMPTS {
            match &last {
                // Gone, or come, since it was looked at.
                Err(e) if matches!(e.errno(), Some(libc::ENOENT | libc::EEXIST)) => {
                    last = self.mend_once(&wanted);
                }
                _ => break,
            }
        }
        last
    }

    fn mend_once(&mut self, wanted: &Elements) -> Result<Repairs, Error> {
        let mut found = Vec::new();
        for family in FAMILIES {
            found.extend(table::read(&mut self.socket, family).map_err(fail)?);
        }
        self.refuse_strangers(&found)?;
        let there: Elements = super::elements(&mut self.socket)?.into_iter().collect();
        let mut repairs = Repairs::default();
        let (mut messages, mut steps) = (Vec::new(), Vec::new());
        for wanted_table in &self.skeleton {
            let of_family = |elements: &Elements| -> Elements {
                let own = |element: &Element| family_of(element.set()) == wanted_table.family;
                elements.iter().filter(|(e, _)| own(e)).map(|(e, d)| (e.clone(), *d)).collect()
            };
            let found = found.iter().find(|there| there.table.family == wanted_table.family);
            let (making, keeps_elements) = self.making(wanted_table, found, &mut repairs);
            let changes = difference(&of_family(&there), &of_family(wanted));
            // A table that is not there is told as a whole.
            changes.iter().filter(|_| found.is_some()).for_each(|step| repairs.note(step));
            messages.extend(making);
            steps.extend(match keeps_elements {
                true => changes,
                false => difference(&Elements::new(), &of_family(wanted)),
            });
        }
        steps.iter_mut().enumerate().for_each(|(place, step)| step.change = place);
        self.send(messages, steps)?;
        Ok(repairs)
    }

    /// What another process owns is told before it is tried: it may be just as it must be.
    fn refuse_strangers(&self, found: &[Found]) -> Result<(), Error> {
        let own = self.socket.port_id().map_err(fail)?;
        match found.iter().find(|there| there.owner != 0 && there.owner != own) {
            Some(_) => Err(fail(Cause::Refused { errno: libc::EPERM, text: String::new() })),
            None => Ok(()),
        }
    }

    /// What makes a table as it must be, and whether its elements outlive that; notes what was not.
    ///
    /// Where the rules alone differ, they alone are exchanged: a chain changes from the old ones to
    /// the new at one instant. Of two chains at one hook a packet could pass the new one before that
    /// and the old one after it.
    fn making(
        &self,
        wanted: &Table,
        there: Option<&Found>,
        repairs: &mut Repairs,
    ) -> (Vec<Message>, bool) {
        let flags = if self.sole { NFT_TABLE_F_OWNER | NFT_TABLE_F_PERSIST } else { 0 };
        let Some(found) = there else {
            repairs.restored.push(wanted.to_string());
            return (wanted.creations(flags).collect(), false);
        };
        repairs.restored.extend(found.table.lacks(wanted));
        repairs.removed.extend(wanted.lacks(&found.table));
        let is_persistent = found.flags & !NFT_TABLE_F_OWNER == flags & !NFT_TABLE_F_OWNER;
        if !is_persistent || !found.table.differs_in_rules_alone(wanted) {
            let deletion = std::iter::once(table::deletion(wanted.family));
            return (deletion.chain(wanted.creations(flags)).collect(), false);
        }
        // A predecessor left it.
        let adoption = (self.sole && found.owner == 0).then(|| wanted.creation(flags));
        let differs = found.table != *wanted;
        let rules = wanted.exchange_of_rules().filter(|_| differs);
        (adoption.into_iter().chain(rules).collect(), true)
    }

    /// Sends messages and steps in one transaction. Elements that the kernel does not want are told
    /// and left out: they must not keep the rest from being there.
    fn send(&mut self, messages: Vec<Message>, mut steps: Vec<Step>) -> Result<(), Error> {
        while !messages.is_empty() || !steps.is_empty() {
            let all = messages.iter().cloned().chain(steps.chunks(1).map(encode)).collect();
            let refused = commit(&mut self.socket, all).map_err(fail)?;
            let mut kept = vec![true; steps.len()];
            for refusal in refused {
                let place = refusal.position.checked_sub(messages.len());
                let Some(step) = place.and_then(|place| steps.get(place)) else {
                    return Err(fail(refusal));
                };
                // One that is not there is removed; to add to what is not there, begin again.
                if refusal.errno != libc::ENOENT {
                    let (element, error) = (&step.element, Cause::from(refusal));
                    tracing::error!(?element, %error, "the firewall's element cannot be had");
                } else if step.add {
                    return Err(fail(refusal));
                }
                kept[step.change] = false;
            }
            if kept.iter().all(|kept| *kept) {
                return Ok(());
            }
            steps.retain(|step| kept[step.change]);
            steps.iter_mut().enumerate().for_each(|(place, step)| step.change = place);
        }
        Ok(())
    }

    /// Deletes our tables with all that is in them.
    pub(crate) fn unload(&mut self) -> Result<(), Error> {
        let fail = |cause| Error::new("delete", format!("tables {TABLE}"), cause);
        for family in FAMILIES {
            let refused = commit(&mut self.socket, vec![table::deletion(family)]).map_err(fail)?;
            if let Some(refusal) = refused.into_iter().find(|r| r.errno != libc::ENOENT) {
                return Err(explain(fail(refusal.into())));
            }
        }
        Ok(())
    }
}

impl Repairs {
    fn note(&mut self, step: &Step) {
        let list = if step.add { &mut self.restored } else { &mut self.removed };
        let set = step.element.set().as_str();
        list.push(format!("element {set} {{ {}{} }}", step.element, step.data));
    }
}

fn element(object: &Object) -> Option<(Element, ElementData)> {
    match object {
        Object::Element(element, data) => Some((element.clone(), *data)),
        _ => None,
    }
}

/// Removals first: a key has one value.
fn difference(there: &Elements, wanted: &Elements) -> Vec<Step> {
    let lacks = |side: &Elements, (element, data): &(&Element, &ElementData)| {
        side.get(element) != Some(data)
    };
    let removals = there.iter().filter(|pair| lacks(wanted, pair)).map(|pair| (false, pair));
    let additions = wanted.iter().filter(|pair| lacks(there, pair)).map(|pair| (true, pair));
    let steps = removals.chain(additions).enumerate();
    steps
        .map(|(change, (add, (element, data)))| Step {
            change,
            add,
            element: element.clone(),
            data: *data,
        })
        .collect()
}

fn fail(cause: impl Into<Cause>) -> Error {
    explain(Error::new("write", format!("nftables tables {TABLE}"), cause))
}

fn explain(error: Error) -> Error {
    match error.errno() {
        Some(libc::EPERM) => error.with_hint(
            "another hawserd owns the table in this network namespace, or the engine is not root",
        ),
        _ => error,
    }
}
