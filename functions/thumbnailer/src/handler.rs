use derivatives::{Job, Original, Originals, RenderResult, Renderer};
use function_kit::failure::Failure;

use crate::render::{check_size, render};

/// Makes the variants of pictures.
pub struct VariantRenderer;

impl Renderer for VariantRenderer {
    async fn render(&self, originals: &Originals, job: &Job<'_>) -> Result<RenderResult, Failure> {
        let Job { id, event, size, version } = *job;
        if let Err(reason) = check_size(size) {
            let declared = originals.head_if_current(&event.key, version).await?;
            return Ok(declared.map(|declared| (declared, Err(reason))));
        }
        let Some(Original { bytes, declared }) = originals.get(&event.key, version).await? else { return Ok(None) };
        let visibility = declared.intent.visibility;
        let rendered = render(id, &event.sequencer, &bytes, visibility)?;
        Ok(Some((declared, rendered)))
    }
}

#[cfg(test)]
mod tests;
