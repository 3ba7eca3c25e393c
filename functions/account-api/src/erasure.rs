//! The steps of an erasure. Each message does one step, and sends the next one.

use domain::account::{DeviceErasure, Erasure, ErasureStep, NotificationErasure};
use function_kit::failure::Failure;
use jiff::SignedDuration;
use tracing::info;

use crate::ports::Ports;

/// The longest delay of a message in SQS.
const MAX_DELAY: SignedDuration = SignedDuration::from_secs(900);

/// Does the next step of the erasure in a message. A step that is done twice changes nothing.
pub async fn consume(ports: &impl Ports, body: &str) -> Result<(), Failure> {
    let erasure: Erasure =
        serde_json::from_str(body).map_err(|_| Failure::bug("read an erasure", "unexpected form"))?;
    run(ports, &erasure).await
}

async fn run(ports: &impl Ports, erasure: &Erasure) -> Result<(), Failure> {
    let Some(step) = erasure.step() else { return Ok(()) };
    info!(?step, done = erasure.done, "erasing");
    ports.record(erasure).await?;
    let Erasure { user, username, .. } = erasure;
    match step {
        ErasureStep::Lock => ports.lock_user(username).await?,
        ErasureStep::Announce => ports.announce(user).await?,
        ErasureStep::Originals => {
            // An export that is being made ends when its row is gone.
            if ports.erase_originals(user).await? || ports.erase_exports(user).await? {
                return repeat(ports, erasure).await;
            }
        }
        // These functions send the erasure back, with the step done.
        ErasureStep::Devices if ports.has_devices() => {
            return ports.send_to_devices(&DeviceErasure { erasure: erasure.clone() }).await;
        }
        ErasureStep::Devices => {}
        ErasureStep::Notifications => {
            return ports.send_to_push(&NotificationErasure::start(erasure.clone())).await;
        }
        ErasureStep::ReadMark => ports.delete_read_mark(user).await?,
        ErasureStep::Quotas => {
            ports.delete_quotas(user).await?;
            if ports.erase_reports(user).await? {
                return repeat(ports, erasure).await;
            }
        }
        ErasureStep::Wait => {
            let left = ports.wait() - ports.now().duration_since(erasure.started_at);
            if left > SignedDuration::ZERO {
                return ports.enqueue(erasure, left.min(MAX_DELAY)).await;
            }
        }
        ErasureStep::Account => {
            ports.delete_user(username).await?;
            return ports.finish(&erasure.after_step()).await;
        }
    }
    ports.enqueue(&erasure.after_step(), SignedDuration::ZERO).await
}

/// Sends the erasure back before the same step, which has not finished.
async fn repeat(ports: &impl Ports, erasure: &Erasure) -> Result<(), Failure> {
    let again = erasure.again().ok_or_else(|| Failure::bug("erase an account", "too many repeats of a step"))?;
    ports.enqueue(&again, SignedDuration::ZERO).await
}
