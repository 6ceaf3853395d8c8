//! No bytes make the decoder panic, and of JSON it finds the changes that a plain reading finds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use tfdrift::audit::decode::{Decoder, Filter, Tally};
use tfdrift::window::Window;

fuzz_target!(|bytes: &[u8]| {
    let filter = Filter {
        window: Window { since: None, until: "2100-01-01T00:00:00Z".parse().unwrap() },
        accounts: Vec::new(),
        regions: Vec::new(),
        wanted: &|_| true,
        failed: true,
    };
    let (mut found, mut tally) = (Vec::new(), Tally::default());
    Decoder::new().file("fuzz", bytes, &filter, &mut tally, &mut |call| {
        found.push((call.time.to_string(), call.service, call.name, call.request));
    });
    if let Ok(Value::Array(records)) = serde_json::from_slice::<Value>(bytes) {
        // What may stand in other wrappings, or is told by more than two fields, is left out.
        let plain = |record: &&Value| {
            ["Records", "Events", "detail", "CloudTrailEvent", "eventType", "requestParameters"].iter().all(|key| record.get(key).is_none())
        };
        if records.iter().all(|record| plain(&record)) {
            let text = |record: &Value, key: &str| record[key].as_str().unwrap_or_default().to_owned();
            let expected: Vec<_> = records
                .iter()
                .filter(|record| record["readOnly"] == Value::Bool(false))
                .filter_map(|record| {
                    let time: jiff::Timestamp = text(record, "eventTime").parse().ok()?;
                    filter.window.contains(time).then(|| (time.to_string(), text(record, "eventSource"), text(record, "eventName"), Value::Null))
                })
                .collect();
            // Records that do not say whether they read are judged by their verb, too.
            assert!(expected.iter().all(|call| found.contains(call)), "{expected:?} {found:?}");
        }
    }
});
