//! What a HEIF file holds: items, their properties, and where their data is (ISO/IEC 23008-12 and
//! 14496-12), read in one pass.
//!
//! Numbers that a file may give for nothing (items, parts of their data) are bounded, and so is
//! how often the same bytes are handed out: what is done is linear in the length of the file.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;

use super::reader::Reader;
use crate::PictureError;

/// A phone's largest photographs have about 400: tiles of the picture and of what goes with it.
const MAX_ITEMS: usize = 4096;
/// Of the data of all items. There is one part to each but for very unusual writers.
const MAX_EXTENTS: usize = 4 * MAX_ITEMS;

/// A file's items.
pub(super) struct Container<'a> {
    bytes: &'a [u8],
    inline: &'a [u8],
    pub primary: u32,
    kinds: BTreeMap<u32, [u8; 4]>,
    locations: BTreeMap<u32, Location>,
    references: Vec<Reference>,
    properties: Vec<Property<'a>>,
    /// Indices of `properties`, from 1.
    associations: BTreeMap<u32, Vec<Association>>,
    /// How many bytes may still be handed out.
    budget: Cell<usize>,
}

/// Where an item's data is.
struct Location {
    /// In the file (0), in the box `idat` (1), or made of other items (2).
    method: u16,
    /// Offset and length, in bytes; a length of 0 goes to the end.
    extents: Vec<(u64, u64)>,
}

struct Reference {
    kind: [u8; 4],
    from: u32,
    to: Vec<u32>,
}

/// A property's four letters and its content.
pub(super) type Property<'a> = ([u8; 4], &'a [u8]);

struct Association {
    index: u16,
    /// Who does not know the property must not show the item.
    essential: bool,
}

impl<'a> Container<'a> {
    /// Reads the structure; no item's data yet.
    pub fn read(bytes: &'a [u8]) -> Result<Self, PictureError> {
        let mut container = Container {
            bytes,
            inline: &[],
            primary: 0,
            kinds: BTreeMap::new(),
            locations: BTreeMap::new(),
            references: Vec::new(),
            properties: Vec::new(),
            associations: BTreeMap::new(),
            budget: Cell::new(bytes.len().saturating_mul(4)),
        };
        let mut file = Reader(bytes);
        let mut meta = None;
        // A box that is longer than the file is one that was cut off.
        while let Some((name, content)) = file.next_box().map_err(|_| PictureError::Truncated)? {
            if &name == b"meta" && meta.is_none() {
                meta = Some(content);
            }
        }
        let mut meta = Reader(meta.ok_or(PictureError::Truncated)?);
        meta.full()?;
        while let Some((name, content)) = meta.next_box()? {
            let content = Reader(content);
            match &name {
                b"pitm" => container.primary = primary(content)?,
                b"iinf" => container.read_kinds(content)?,
                b"iloc" => container.read_locations(content)?,
                b"iref" => container.read_references(content)?,
                b"iprp" => container.read_properties(content)?,
                b"idat" => container.inline = content.0,
                _ => {}
            }
        }
        Ok(container)
    }

    /// Of the item, by its four letters.
    pub fn kind(&self, item: u32) -> Option<[u8; 4]> {
        self.kinds.get(&item).copied()
    }

    /// The item's properties, in their order, which transformations depend on.
    ///
    /// # Errors
    /// Unsupported, if one that `knows` does not know must be known; corrupt, if one is missing.
    pub fn properties(&self, item: u32, knows: &[&[u8; 4]]) -> Result<Vec<Property<'a>>, PictureError> {
        let associations = self.associations.get(&item).map(Vec::as_slice).unwrap_or_default();
        let of = |association: &Association| {
            let index = usize::from(association.index).checked_sub(1);
            let property = index.and_then(|index| self.properties.get(index));
            let &(name, content) = property.ok_or_else(|| PictureError::corrupt("a property that is not there"))?;
            if association.essential && !knows.contains(&&name) {
                return Err(PictureError::UnsupportedFormat);
            }
            Ok((name, content))
        };
        associations.iter().filter(|association| association.index > 0).map(of).collect()
    }

    /// What the item is made of, or describes.
    pub fn referenced(&self, kind: &[u8; 4], from: u32) -> &[u32] {
        let found = self.references.iter().find(|reference| reference.from == from && &reference.kind == kind);
        found.map(|reference| reference.to.as_slice()).unwrap_or_default()
    }

    /// Items that refer to this one.
    pub fn referring(&self, kind: &[u8; 4], to: u32) -> impl Iterator<Item = u32> {
        let kind = *kind;
        let refers = move |reference: &&Reference| reference.kind == kind && reference.to.contains(&to);
        self.references.iter().filter(refers).map(|reference| reference.from)
    }

    /// The item's data, put together.
    pub fn data(&self, item: u32) -> Result<Cow<'a, [u8]>, PictureError> {
        let location = self.locations.get(&item).ok_or_else(|| PictureError::corrupt("an item without data"))?;
        // Of what is in the box itself, the box's end was checked; what is beyond the file was cut off.
        let (source, missing) = match location.method {
            0 => (self.bytes, PictureError::Truncated),
            1 => (self.inline, PictureError::corrupt("data outside of their box")),
            _ => return Err(PictureError::UnsupportedFormat),
        };
        let part = |&(offset, length): &(u64, u64)| -> Result<&'a [u8], PictureError> {
            let part = usize::try_from(offset).ok().and_then(|offset| source.get(offset..));
            let length = usize::try_from(length).ok();
            let part = part.zip(length).and_then(|(part, length)| match length {
                0 => Some(part),
                _ => part.get(..length),
            });
            let part = part.ok_or_else(|| missing.clone())?;
            let left = self.budget.get().checked_sub(part.len());
            self.budget.set(left.ok_or_else(|| PictureError::corrupt("the same data again and again"))?);
            Ok(part)
        };
        match &location.extents[..] {
            [only] => part(only).map(Cow::Borrowed),
            parts => Ok(Cow::Owned(parts.iter().map(part).collect::<Result<Vec<_>, _>>()?.concat())),
        }
    }

    fn read_kinds(&mut self, mut content: Reader<'a>) -> Result<(), PictureError> {
        let (version, _) = content.full()?;
        content.number(if version == 0 { 2 } else { 4 })?;
        while let Some((name, entry)) = content.next_box()? {
            if &name != b"infe" {
                continue;
            }
            let mut entry = Reader(entry);
            let id = match entry.full()?.0 {
                2 => u32::from(entry.u16()?),
                3 => entry.u32()?,
                _ => return Err(PictureError::UnsupportedFormat),
            };
            entry.u16()?; // its protection
            if self.kinds.len() >= MAX_ITEMS {
                return Err(PictureError::corrupt("too many items"));
            }
            self.kinds.insert(id, entry.four()?);
        }
        Ok(())
    }

    fn read_locations(&mut self, mut content: Reader<'a>) -> Result<(), PictureError> {
        let (version, _) = content.full()?;
        let sizes = content.u16()?;
        let [offset_bytes, length_bytes, base_bytes, index_bytes] =
            [12, 8, 4, 0].map(|shift| usize::from(sizes >> shift & 15));
        if version > 2 || [offset_bytes, length_bytes, base_bytes].iter().any(|&bytes| bytes > 8) {
            return Err(PictureError::corrupt("a table of data that is none"));
        }
        let id_bytes = if version < 2 { 2 } else { 4 };
        let mut extents_left = MAX_EXTENTS;
        for _ in 0..content.number(id_bytes)? {
            let id = content.number(id_bytes)? as u32;
            let method = if version == 0 { 0 } else { content.u16()? & 15 };
            content.u16()?; // which file: this one
            let base = content.number(base_bytes)?;
            let count = usize::from(content.u16()?);
            let left = extents_left.checked_sub(count.max(1));
            extents_left = left.ok_or_else(|| PictureError::corrupt("data in too many parts"))?;
            let mut extents = Vec::new();
            for _ in 0..count {
                content.take(if version == 0 { 0 } else { index_bytes })?;
                let offset = base.saturating_add(content.number(offset_bytes)?);
                extents.push((offset, content.number(length_bytes)?));
            }
            self.locations.insert(id, Location { method, extents });
        }
        Ok(())
    }

    fn read_references(&mut self, mut content: Reader<'a>) -> Result<(), PictureError> {
        let id_bytes = if content.full()?.0 == 0 { 2 } else { 4 };
        while let Some((kind, entry)) = content.next_box()? {
            let mut entry = Reader(entry);
            let from = entry.number(id_bytes)? as u32;
            let count = entry.u16()?;
            let to = (0..count).map(|_| Ok(entry.number(id_bytes)? as u32)).collect::<Result<_, PictureError>>()?;
            if self.references.len() >= MAX_ITEMS {
                return Err(PictureError::corrupt("too many references"));
            }
            self.references.push(Reference { kind, from, to });
        }
        Ok(())
    }

    fn read_properties(&mut self, mut content: Reader<'a>) -> Result<(), PictureError> {
        while let Some((name, inner)) = content.next_box()? {
            let mut inner = Reader(inner);
            match &name {
                b"ipco" => {
                    while let Some(property) = inner.next_box()? {
                        self.properties.push(property);
                    }
                }
                b"ipma" => self.read_associations(inner)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn read_associations(&mut self, mut content: Reader<'a>) -> Result<(), PictureError> {
        let (version, flags) = content.full()?;
        let (id_bytes, index_bytes) = (if version == 0 { 2 } else { 4 }, if flags & 1 == 0 { 1 } else { 2 });
        for _ in 0..content.u32()? {
            let id = content.number(id_bytes)? as u32;
            let count = content.u8()?;
            let associations = self.associations.entry(id).or_default();
            for _ in 0..count {
                let word = content.number(index_bytes)? as u16;
                let essential = 1 << (8 * index_bytes - 1);
                associations.push(Association { index: word & !essential, essential: word & essential != 0 });
            }
            if associations.len() > usize::from(u8::MAX) {
                return Err(PictureError::corrupt("too many properties"));
            }
        }
        Ok(())
    }
}

fn primary(mut content: Reader<'_>) -> Result<u32, PictureError> {
    match content.full()?.0 {
        0 => content.u16().map(u32::from),
        _ => content.u32(),
    }
}
