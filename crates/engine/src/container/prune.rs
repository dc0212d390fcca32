//! `container prune`.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Duration, TimeZone, Utc};

use super::task::to_the_end;
use crate::Engine;
use crate::error::{Error, Result};
use crate::filters::Filters;
use crate::record::{Container, Status};

/// What a prune removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Ids.
    pub deleted: Vec<String>,
    /// Bytes.
    pub space_reclaimed: u64,
}

impl Engine {
    /// Removes all containers that do not run.
    ///
    /// # Errors
    /// Invalid for an unknown filter or value.
    pub async fn container_prune(self: &Arc<Self>, filters: &Filters) -> Result<Pruned> {
        filters.allow(&["label", "label!", "until"])?;
        let until = until(filters, Utc::now())?;
        let (engine, filters) = (Arc::clone(self), filters.clone());
        to_the_end(async move {
            let mut pruned = Pruned::default();
            for entry in engine.containers.all() {
                if !wanted(&entry.record(), &filters, until) {
                    continue;
                }
                let _one = entry.lifecycle.lock().await;
                // It may have been started or removed while others were.
                if !wanted(&entry.record(), &filters, until)
                    || engine.containers.get(&entry.id).is_none()
                {
                    continue;
                }
                let size = engine.container_size(&entry.record()).await.map_or(0, |size| size.rw);
                match engine.remove_locked(&entry, false).await {
                    Ok(()) => {
                        pruned.deleted.push(entry.id.to_string());
                        pruned.space_reclaimed += size;
                    }
                    Err(e) => tracing::warn!(container = %entry.id, error = %e, "cannot prune it"),
                }
            }
            let reclaimed = ("reclaimed".to_owned(), pruned.space_reclaimed.to_string());
            engine.events.publish("container", "prune", "", BTreeMap::from([reclaimed]));
            Ok(pruned)
        })
        .await
    }
}

fn wanted(record: &Container, filters: &Filters, until: Option<DateTime<Utc>>) -> bool {
    let labels = &record.config.labels;
    matches!(record.state.status, Status::Created | Status::Exited | Status::Dead)
        && until.is_none_or(|until| record.created < until)
        && filters.labels("label", labels)
        && (!filters.contains("label!") || !filters.labels("label!", labels))
}

/// The time of the filter `until`: a point in time, or a length before now.
pub(crate) fn until(filters: &Filters, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
    let mut values = filters.values("until");
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Error::invalid("more than one until filter specified"));
    }
    let time = go_duration(value)
        .and_then(|length| now.checked_sub_signed(length))
        .or_else(|| unix_time(value))
        .or_else(|| DateTime::parse_from_rfc3339(value).ok().map(|time| time.to_utc()));
    time.map(Some).ok_or_else(|| {
        Error::invalid(format!("failed to parse until filter: invalid time or duration {value:?}"))
    })
}

fn unix_time(text: &str) -> Option<DateTime<Utc>> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let nanos = format!("{fraction:0<9.9}").parse().ok()?;
    Utc.timestamp_opt(seconds.parse().ok()?, nanos).single()
}

/// A length of time as Go writes it: `1h30m`, `10s`, `1.5h`.
fn go_duration(text: &str) -> Option<Duration> {
    let mut total = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, unit) = rest.split_at(digits);
        let end = unit.find(|c: char| c.is_ascii_digit()).unwrap_or(unit.len());
        let factor = match &unit[..end] {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * factor;
        rest = &unit[end..];
    }
    let length = std::time::Duration::try_from_secs_f64(total).ok()?;
    Duration::from_std(length).ok().filter(|_| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::testing::record;

    #[test]
    fn until_is_a_time_or_a_length() {
        let now = Utc.timestamp_opt(10_000, 0).unwrap();
        let at = |text: &str| until(&Filters::default().with("until", text), now);
        assert_eq!(at("1h30m").unwrap().unwrap().timestamp(), 10_000 - 5400);
        assert_eq!(at("5000").unwrap().unwrap().timestamp(), 5000);
        assert_eq!(at("1970-01-01T00:00:09Z").unwrap().unwrap().timestamp(), 9);
        assert!(at("soon").is_err());
        assert_eq!(until(&Filters::default(), now).unwrap(), None);
    }

    #[test]
    fn labels_keep_or_spare() {
        let mut it = record("c");
        it.config.labels.insert("keep".to_owned(), String::new());
        let with = |key: &str, value: &str| Filters::default().with(key, value);
        assert!(wanted(&it, &with("label", "keep"), None));
        assert!(!wanted(&it, &with("label!", "keep"), None));
        assert!(!wanted(&it, &with("label", "other"), None));
        it.state.status = Status::Running;
        assert!(!wanted(&it, &Filters::default(), None));
    }
}
