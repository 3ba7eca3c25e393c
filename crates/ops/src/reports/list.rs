use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    fmt,
};

use domain::{media::MediaId, user_report::ReportReason};
use serde::Serialize;
use store::reports::Report;

/// Items with open reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReportedItems {
    /// The items, the most reported first, and of those the earliest reported.
    pub items: Vec<ReportedItem>,
}

/// An item with open reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportedItem {
    /// Its id.
    pub id: MediaId,
    /// Number of persons who reported it.
    pub reports: usize,
    /// Number of reports by reason.
    pub reasons: BTreeMap<ReportReason, usize>,
    /// Time of the earliest report.
    pub first: String,
    /// Time of the latest report.
    pub last: String,
    /// What the reporters wrote, if requested.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub texts: Vec<String>,
}

impl ReportedItems {
    /// Groups reports by item. `with_texts`: whether the operator asked for what people wrote.
    pub fn of<'a>(reports: impl IntoIterator<Item = &'a Report>, with_texts: bool) -> Self {
        let mut by_item = HashMap::<_, Vec<_>>::new();
        for report in reports {
            by_item.entry(report.media_id).or_default().push(report);
        }
        let mut items: Vec<_> = by_item.into_iter().map(|(id, reports)| item(id, &reports, with_texts)).collect();
        items.sort_by_cached_key(|item| (Reverse(item.reports), item.first.clone(), item.id));
        Self { items }
    }
}

fn item(id: MediaId, reports: &[&Report], with_texts: bool) -> ReportedItem {
    let mut reasons = BTreeMap::new();
    for report in reports {
        *reasons.entry(report.reason).or_default() += 1;
    }
    let times = || reports.iter().map(|report| format!("{:.0}", report.reported_at));
    let texts = reports.iter().filter_map(|report| report.text.as_ref()).filter(|_| with_texts);
    ReportedItem {
        id,
        reports: reports.len(),
        reasons,
        first: times().min().unwrap_or_default(),
        last: times().max().unwrap_or_default(),
        texts: texts.map(|text| text.as_str().to_owned()).collect(),
    }
}

impl fmt::Display for ReportedItems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.items.is_empty() {
            return f.write_str("No open reports.");
        }
        for (index, ReportedItem { id, reports, reasons, first, last, texts }) in self.items.iter().enumerate() {
            let reasons: Vec<_> =
                reasons.iter().map(|(reason, number)| format!("{} {number}", reason.as_ref())).collect();
            let start = if index == 0 { "" } else { "\n" };
            write!(f, "{start}{id}  {reports} reports: {}; from {first} to {last}", reasons.join(", "))?;
            for text in texts {
                // A line of its own text cannot look like one of the list.
                write!(f, "\n    | {}", text.replace('\n', "\n    | "))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(item: &str, reporter: &str, reason: ReportReason, minute: u8, text: &str) -> Report {
        Report {
            reporter: reporter.to_owned(),
            media_id: MediaId::of_key(item),
            owner: "mina".to_owned(),
            reason,
            text: text.to_owned().try_into().ok(),
            reported_at: format!("2026-11-22T00:{minute:02}:00.5Z").parse().expect("a time"),
        }
    }

    fn reports() -> [Report; 4] {
        [
            report("photo/mina/once", "jun", ReportReason::Other, 0, "첫째"),
            report("photo/mina/often", "jun", ReportReason::Spam, 5, ""),
            report("photo/mina/often", "sora", ReportReason::Hate, 3, "둘째\n셋째"),
            report("photo/mina/often", "haneul", ReportReason::Spam, 9, ""),
        ]
    }

    #[test]
    fn items_are_listed_by_number_of_reports_with_their_reasons() {
        let ReportedItems { items } = ReportedItems::of(&reports(), false);
        let [often, once] = &items[..] else { panic!("{items:?}") };
        assert_eq!((often.id, often.reports), (MediaId::of_key("photo/mina/often"), 3));
        assert_eq!(often.reasons, BTreeMap::from([(ReportReason::Spam, 2), (ReportReason::Hate, 1)]));
        assert_eq!((often.first.as_str(), often.last.as_str()), ("2026-11-22T00:03:00Z", "2026-11-22T00:09:00Z"));
        assert_eq!((once.reports, &once.texts), (1, &Vec::new()));
        assert_eq!(ReportedItems::of([], true).to_string(), "No open reports.");
    }

    #[test]
    fn texts_and_reporters_are_shown_only_if_requested() {
        let listed = |with_texts| ReportedItems::of(&reports(), with_texts);
        let without = format!("{} {}", listed(false), serde_json::to_string(&listed(false)).expect("JSON"));
        assert!(!without.contains("째"), "{without}");
        let with = listed(true).to_string();
        assert!(with.contains("    | 둘째\n    | 셋째"), "{with}");
        assert!(!with.contains("jun") && !without.contains("jun"), "{with}");
    }
}
