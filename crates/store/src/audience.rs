//! The table `audience`: the projection of the graph that selects recipients. Its only writer is `push-fanout`.
//!
//! ```text
//! pk                        sk               other attributes
//! vertex#<id>               facts            registers: name, title, visibility, added, owner#<edge>
//! followers#<person>        <follower>       registers: edge#<edge>
//! pair#<length>#<a>#<b>     facts            registers: blocks#<edge>, mutes#<edge>
//! edge#<id>                 facts            register: edge
//! vertex#<id>               waiting#<edge>   note: an event that waits for the vertex's owner or visibility; nonce
//! recent#<person>           <edge>           note: a story that the person published recently; nonce
//! generation                facts            generation: the latest generation of any register; missing before a reset
//! ```
//! The attribute of a register is `r:` and its name. Registers and notes are texts that begin with their position
//! ([`Register`](domain::push::Register)), so a condition can reject older writes. `writes` counts the writes of a row;
//! `expires_at` is the time to live.
//!
//! A fast reset deletes the graph and begins a generation. The row `generation` is written before the first register of
//! the generation. From then on, reads leave out the registers of earlier ones, in every row. Positions without a
//! generation are of generation 0.
//!
//! A row whose registers are all empty is a tombstone. It is kept until the stream can no longer be replayed: until
//! `keep_until`, which tombstones raise and nothing lowers.
//! Rows of vertices that are older than the registers `visibility` and `added` have neither: their visibility is unknown
//! until the next change.

mod generation;
mod key;
mod pending_events;
mod row;
mod table;
#[cfg(test)]
mod tests;

pub use pending_events::{PendingEvent, PendingKey, PendingPage};
pub use table::{AudienceTable, Followers};
