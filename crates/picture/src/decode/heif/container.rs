//! Reads the structure of a HEIF file: items, their properties and the location of their data
//! (ISO/IEC 23008-12 and 14496-12).
//!
//! The work is linear in the length of the file: the numbers of items and extents are bounded, and so
//! is the total length of data that is read, because items may refer to the same bytes.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;

use super::reader::BoxReader;
use crate::PictureError;

/// The largest number of items. The largest photos of phones have about 400, nearly all of them tiles.
const MAX_ITEMS: usize = 4096;
/// The largest number of extents of all items. Nearly all writers use one per item.
const MAX_EXTENTS: usize = 4 * MAX_ITEMS;

/// The structure of a file.
pub(super) struct Container<'a> {
    bytes: &'a [u8],
    /// The content of the box `idat`.
    idat: &'a [u8],
    /// The identifier of the primary item: the picture to show.
    pub primary: u32,
    item_types: BTreeMap<u32, [u8; 4]>,
    locations: BTreeMap<u32, Location>,
    references: Vec<Reference>,
    properties: Vec<Property<'a>>,
    associations: BTreeMap<u32, Vec<Association>>,
    /// Bytes of item data that may still be read.
    budget: Cell<usize>,
}

/// The location of an item's data.
struct Location {
    /// In the file (0), in the box `idat` (1), or derived from other items (2).
    method: u16,
    /// Offset and length in bytes. A length of 0 means up to the end.
    extents: Vec<(u64, u64)>,
}

struct Reference {
    kind: [u8; 4],
    from: u32,
    to: Vec<u32>,
}

/// The type and the content of a property.
pub(super) type Property<'a> = ([u8; 4], &'a [u8]);

struct Association {
    /// Index of the property, starting with 1.
    index: u16,
    /// Whether a reader that does not know the property must not show the item.
    essential: bool,
}

impl<'a> Container<'a> {
    /// Reads the structure, without the data of items.
    pub fn read(bytes: &'a [u8]) -> Result<Self, PictureError> {
        let mut container = Container {
            bytes,
            idat: &[],
            primary: 0,
            item_types: BTreeMap::new(),
            locations: BTreeMap::new(),
            references: Vec::new(),
            properties: Vec::new(),
            associations: BTreeMap::new(),
            budget: Cell::new(bytes.len().saturating_mul(4)),
        };
        let mut file = BoxReader(bytes);
        let mut meta = None;
        // Anything may follow the boxes, or a box be cut off: whether the picture is complete depends on its data.
        while let Ok(Some((name, content))) = file.next_box() {
            if &name == b"meta" {
                meta = Some(content);
                break;
            }
        }
        let mut meta = BoxReader(meta.ok_or(PictureError::Truncated)?);
        meta.version_and_flags()?;
        while let Some((name, content)) = meta.next_box()? {
            let content = BoxReader(content);
            match &name {
                b"pitm" => container.primary = primary(content)?,
                b"iinf" => container.read_item_types(content)?,
                b"iloc" => container.read_locations(content)?,
                b"iref" => container.read_references(content)?,
                b"iprp" => container.read_properties(content)?,
                b"idat" => container.idat = content.0,
                _ => {}
            }
        }
        Ok(container)
    }

    /// The type of an item.
    pub fn item_type(&self, item: u32) -> Option<[u8; 4]> {
        self.item_types.get(&item).copied()
    }

    /// The properties of an item in their order, which determines the order of transformations.
    ///
    /// # Errors
    /// `UnsupportedFormat` if an essential property is not in `known`; `Corrupt` if one is missing.
    pub fn properties(&self, item: u32, known: &[&[u8; 4]]) -> Result<Vec<Property<'a>>, PictureError> {
        let associations = self.associations.get(&item).map(Vec::as_slice).unwrap_or_default();
        let property_of = |association: &Association| {
            let index = usize::from(association.index).checked_sub(1);
            let property = index.and_then(|index| self.properties.get(index));
            let &(name, content) = property.ok_or_else(|| PictureError::corrupt("a missing property"))?;
            if association.essential && !known.contains(&&name) {
                return Err(PictureError::UnsupportedFormat);
            }
            Ok((name, content))
        };
        associations.iter().filter(|association| association.index > 0).map(property_of).collect()
    }

    /// The items that the item `from` refers to by a reference of this kind.
    pub fn references_from(&self, kind: &[u8; 4], from: u32) -> &[u32] {
        let found = self.references.iter().find(|reference| reference.from == from && &reference.kind == kind);
        found.map(|reference| reference.to.as_slice()).unwrap_or_default()
    }

    /// The items that refer to the item `to` by a reference of this kind.
    pub fn references_to(&self, kind: &[u8; 4], to: u32) -> impl Iterator<Item = u32> {
        let kind = *kind;
        let refers = move |reference: &&Reference| reference.kind == kind && reference.to.contains(&to);
        self.references.iter().filter(refers).map(|reference| reference.from)
    }

    /// The data of an item, joined from its extents.
    pub fn data(&self, item: u32) -> Result<Cow<'a, [u8]>, PictureError> {
        let location = self.locations.get(&item).ok_or_else(|| PictureError::corrupt("an item without data"))?;
        // Data beyond the end of the file means that the file is truncated. The box `idat` is complete.
        let (source, missing) = match location.method {
            0 => (self.bytes, PictureError::Truncated),
            1 => (self.idat, PictureError::corrupt("data outside of its box")),
            _ => return Err(PictureError::UnsupportedFormat),
        };
        let extent = |&(offset, length): &(u64, u64)| -> Result<&'a [u8], PictureError> {
            let part = usize::try_from(offset).ok().and_then(|offset| source.get(offset..));
            let length = usize::try_from(length).ok();
            let part = part.zip(length).and_then(|(part, length)| match length {
                0 => Some(part),
                _ => part.get(..length),
            });
            let part = part.ok_or_else(|| missing.clone())?;
            let left = self.budget.get().checked_sub(part.len());
            self.budget.set(left.ok_or_else(|| PictureError::corrupt("items that share too much data"))?);
            Ok(part)
        };
        match &location.extents[..] {
            [only] => extent(only).map(Cow::Borrowed),
            extents => Ok(Cow::Owned(extents.iter().map(extent).collect::<Result<Vec<_>, _>>()?.concat())),
        }
    }

    fn read_item_types(&mut self, mut content: BoxReader<'a>) -> Result<(), PictureError> {
        let (version, _) = content.version_and_flags()?;
        content.number(if version == 0 { 2 } else { 4 })?;
        while let Some((name, entry)) = content.next_box()? {
            if &name != b"infe" {
                continue;
            }
            let mut entry = BoxReader(entry);
            let id = match entry.version_and_flags()?.0 {
                2 => u32::from(entry.u16()?),
                3 => entry.u32()?,
                _ => return Err(PictureError::UnsupportedFormat),
            };
            entry.u16()?; // protection
            if self.item_types.len() >= MAX_ITEMS {
                return Err(PictureError::corrupt("too many items"));
            }
            self.item_types.insert(id, entry.fourcc()?);
        }
        Ok(())
    }

    fn read_locations(&mut self, mut content: BoxReader<'a>) -> Result<(), PictureError> {
        let (version, _) = content.version_and_flags()?;
        let sizes = content.u16()?;
        let [offset_bytes, length_bytes, base_bytes, index_bytes] =
            [12, 8, 4, 0].map(|shift| usize::from(sizes >> shift & 15));
        if version > 2 || [offset_bytes, length_bytes, base_bytes].iter().any(|&bytes| bytes > 8) {
            return Err(PictureError::corrupt("an invalid table of locations"));
        }
        let id_bytes = if version < 2 { 2 } else { 4 };
        let mut extents_left = MAX_EXTENTS;
        for _ in 0..content.number(id_bytes)? {
            let id = content.number(id_bytes)? as u32;
            let method = if version == 0 { 0 } else { content.u16()? & 15 };
            content.u16()?; // data reference: this file
            let base = content.number(base_bytes)?;
            let count = usize::from(content.u16()?);
            let left = extents_left.checked_sub(count.max(1));
            extents_left = left.ok_or_else(|| PictureError::corrupt("too many extents"))?;
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

    fn read_references(&mut self, mut content: BoxReader<'a>) -> Result<(), PictureError> {
        let id_bytes = if content.version_and_flags()?.0 == 0 { 2 } else { 4 };
        while let Some((kind, entry)) = content.next_box()? {
            let mut entry = BoxReader(entry);
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

    fn read_properties(&mut self, mut content: BoxReader<'a>) -> Result<(), PictureError> {
        while let Some((name, inner)) = content.next_box()? {
            let mut inner = BoxReader(inner);
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

    fn read_associations(&mut self, mut content: BoxReader<'a>) -> Result<(), PictureError> {
        let (version, flags) = content.version_and_flags()?;
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

fn primary(mut content: BoxReader<'_>) -> Result<u32, PictureError> {
    match content.version_and_flags()?.0 {
        0 => content.u16().map(u32::from),
        _ => content.u32(),
    }
}
