//! Samples of libraries that bear a time of their own.

use crate::folder::{Folder, text};
use crate::{until_collected, until_value, values, with_plugins};

#[tokio::test]
async fn a_near_time_is_kept_and_a_far_one_refused() {
    for isolation in ["process", "inline"] {
        let folder = Folder::new();
        folder.acts("acts.so", &[]);
        folder.order("orders", "stamped");
        let entry = format!(
            "[[collector]]\nplugin = \"acts\"\nisolation = \"{isolation}\"\n\
             config = {{ orders = \"{}\" }}\n",
            text(&folder.beside("orders"))
        );
        let daemon = with_plugins(&folder, &entry).start().await;
        until_collected(&daemon, "acts").await;
        until_value(&daemon, "acts_near", "", 0.0).await;
        let stamp = async |name: &str| {
            let answer = daemon.get(&format!("/api/v1/samples?name={name}")).await.json();
            let stamp = answer["samples"][0]["timestamp"].as_str().expect("a time").to_owned();
            stamp.parse::<jiff::Timestamp>().expect("RFC 3339").as_second()
        };
        let (near, plain) = (stamp("acts_near").await, stamp("acts_version").await);
        assert!(plain - near >= 59, "{isolation}: {near} and {plain}");
        for name in ["acts_past", "acts_future"] {
            assert!(values(&daemon, name, "").await.is_empty(), "{isolation}: {name}");
        }
        let metrics = async || daemon.get("/metrics").await.text;
        let series = "gz_collector_samples_rejected_total{collector=\"acts\",reason=\"timestamp\"}";
        crate::support::until("they are counted", async || {
            let text = metrics().await;
            let count = text.lines().find_map(|line| line.strip_prefix(series))?.trim().to_owned();
            (count.parse::<f64>().ok()? >= 2.0).then_some(())
        })
        .await;
    }
}
