//! The benchmark: what it refuses. That it measures what it says, the end-to-end tests show.

use crate::gristmill::{gristmill, output, text};

#[tokio::test]
async fn a_benchmark_without_a_system_says_how_to_name_one() {
    let refused = output(gristmill().arg("bench")).await;
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(text(&refused.stderr).contains("--url"), "{refused:?}");
    let refused = output(gristmill().args(["bench", "--spawn"])).await;
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(text(&refused.stderr).contains("DATABASE_URL"), "{refused:?}");
}
