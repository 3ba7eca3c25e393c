use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet, VecDeque},
};

use domain::export::{ExportJob, StoredState};
use function_kit::failure::Failure;
use jiff::Timestamp;
use serde_json::{Value, json};
use store::{
    exports::StoredExport,
    personal_data::{PageKey, PersonalPage},
};

use crate::{
    export::Sizes,
    ports::{Listed, NoUpload, Piece, Ports},
    stores::STORES,
};

/// Small sizes, so that small files have parts and pieces.
pub const SIZES: Sizes = Sizes { part: 700, piece: 300 };

/// An unfinished upload: bytes and `ETag` of its parts.
type Parts = BTreeMap<u32, (String, Vec<u8>)>;

/// Everything outside.
pub struct InMemory {
    pub row: RefCell<Option<StoredExport>>,
    /// Keys, versions and content.
    pub originals: RefCell<BTreeMap<String, (String, Vec<u8>)>>,
    pub rows: BTreeMap<usize, Vec<Value>>,
    pub uploads: RefCell<BTreeMap<String, Parts>>,
    pub objects: RefCell<BTreeMap<String, Vec<u8>>>,
    pub queue: RefCell<VecDeque<ExportJob>>,
    /// Ids of copies that were announced.
    pub announced: RefCell<BTreeSet<String>>,
    pub calls: Cell<usize>,
    /// The call that fails before it does anything, or after.
    pub fails_at: Cell<Option<(usize, Fault)>>,
    /// The row is deleted before the next progress is stored.
    pub loses_row: Cell<bool>,
    /// The row is deleted before the end is stored.
    pub loses_row_at_end: Cell<bool>,
    /// Steps after which a turn ends.
    pub steps_per_turn: usize,
    pub steps: Cell<usize>,
    pub etags: Cell<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The call has no effect.
    Before,
    /// The call has an effect, but its response is lost.
    After,
}

impl InMemory {
    pub fn new(originals: &[(&str, Vec<u8>)], rows: BTreeMap<usize, Vec<Value>>) -> Self {
        let created_at = Timestamp::from_second(1_795_305_600).expect("a time");
        let originals = originals.iter().map(|(key, content)| ((*key).to_owned(), ("v1".to_owned(), content.clone())));
        Self {
            row: RefCell::new(Some(StoredExport::new("mina", "e1".to_owned(), "o1".to_owned(), created_at))),
            originals: RefCell::new(originals.collect()),
            rows,
            uploads: RefCell::default(),
            objects: RefCell::default(),
            queue: RefCell::default(),
            announced: RefCell::default(),
            calls: Cell::new(0),
            fails_at: Cell::new(None),
            loses_row: Cell::new(false),
            loses_row_at_end: Cell::new(false),
            steps_per_turn: usize::MAX,
            steps: Cell::new(0),
            etags: Cell::new(0),
        }
    }

    /// Calls `effect`, unless this call is to fail before it.
    fn call<T>(&self, effect: impl FnOnce() -> T) -> Result<T, Failure> {
        let number = self.calls.get();
        self.calls.set(number + 1);
        let fault = self.fails_at.get().filter(|(at, _)| *at == number).map(|(_, fault)| fault);
        if fault.is_some() {
            self.fails_at.set(None);
        }
        if fault == Some(Fault::Before) {
            return Err(Failure::transient("call", "later"));
        }
        let result = effect();
        if fault == Some(Fault::After) {
            return Err(Failure::transient("call", "no response"));
        }
        Ok(result)
    }

    fn if_pending(&self, export: &StoredExport, change: impl FnOnce(&mut StoredExport)) -> bool {
        let mut row = self.row.borrow_mut();
        let pending = row.as_mut().filter(|row| row.id == export.id && row.state == StoredState::Pending);
        pending.map(change).is_some()
    }
}

impl Ports for InMemory {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_795_309_200).expect("a time")
    }

    fn is_time_up(&self) -> bool {
        self.steps.set(self.steps.get() + 1);
        self.steps.get().is_multiple_of(self.steps_per_turn)
    }

    async fn export(&self, user: &str) -> Result<Option<StoredExport>, Failure> {
        self.call(|| self.row.borrow().clone().filter(|row| row.owner == user))
    }

    async fn advance(&self, export: &StoredExport, progress: &str) -> Result<bool, Failure> {
        self.call(|| {
            if self.loses_row.get() {
                *self.row.borrow_mut() = None;
            }
            if self.row.borrow().as_ref().is_none_or(|row| row.revision != export.revision) {
                return false;
            }
            self.if_pending(export, |row| {
                row.progress = Some(progress.to_owned());
                row.revision += 1;
            })
        })
    }

    async fn finish(&self, export: &StoredExport, size: u64, files: u64) -> Result<bool, Failure> {
        self.call(|| {
            if self.loses_row_at_end.get() {
                *self.row.borrow_mut() = None;
            }
            self.if_pending(export, |row| {
                row.state = StoredState::Ready;
                (row.size, row.files, row.ready_at) = (Some(size), Some(files), Some(self.now()));
            })
        })
    }

    async fn fail(&self, export: &StoredExport) -> Result<(), Failure> {
        self.call(|| {
            self.if_pending(export, |row| row.state = StoredState::Failed);
        })
    }

    async fn mark_notified(&self, _: &StoredExport) -> Result<(), Failure> {
        self.call(|| self.row.borrow_mut().iter_mut().for_each(|row| row.notified = true))
    }

    async fn profile(&self, username: &str) -> Result<Value, Failure> {
        self.call(|| json!({"username": username}))
    }

    /// Two rows a page.
    async fn rows(&self, store: usize, user: &str, after: Option<&PageKey>) -> Result<PersonalPage, Failure> {
        assert_eq!(user, "mina");
        assert!(store < STORES.len());
        self.call(|| {
            let all = self.rows.get(&store).map(Vec::as_slice).unwrap_or_default();
            let start = after.map_or(0, |key| key["at"].parse().expect("a number"));
            let end = all.len().min(start + 2);
            let next = (end < all.len()).then(|| PageKey::from([("at".to_owned(), end.to_string())]));
            PersonalPage { rows: all[start..end].to_vec(), next }
        })
    }

    /// Two originals a page.
    async fn originals(&self, prefix: &str, after: Option<&str>) -> Result<Vec<Listed>, Failure> {
        assert!(prefix.ends_with("/mina/"), "{prefix}");
        self.call(|| {
            let originals = self.originals.borrow();
            let listed = originals.iter().filter(|(key, _)| key.starts_with(prefix) && after < Some(key.as_str()));
            let listed = listed.map(|(key, (_, content))| Listed { key: key.clone(), size: content.len() as u64 });
            listed.take(2).collect()
        })
    }

    async fn piece(&self, key: &str, version: Option<&str>, start: u64, length: u64) -> Result<Option<Piece>, Failure> {
        self.call(|| {
            let originals = self.originals.borrow();
            let (current, content) =
                originals.get(key).filter(|(current, _)| version.is_none_or(|id| id == current))?;
            let start = usize::try_from(start).expect("a position");
            let end = content.len().min(start + usize::try_from(length).expect("a length"));
            Some(Piece {
                bytes: content[start..end].to_vec(),
                size: content.len() as u64,
                version: current.clone(),
                modified: self.now(),
                file_name: Some("고양이.jpg".to_owned()),
            })
        })
    }

    async fn begin_upload(&self, _: &str) -> Result<String, Failure> {
        self.call(|| {
            let id = format!("upload{}", self.calls.get());
            self.uploads.borrow_mut().insert(id.clone(), Parts::new());
            id
        })
    }

    async fn upload_part(
        &self,
        _: &str,
        upload: &str,
        number: u32,
        bytes: Vec<u8>,
    ) -> Result<Result<String, NoUpload>, Failure> {
        self.call(|| {
            let mut uploads = self.uploads.borrow_mut();
            let parts = uploads.get_mut(upload).ok_or(NoUpload)?;
            self.etags.set(self.etags.get() + 1);
            let etag = format!("etag{}", self.etags.get());
            parts.insert(number, (etag.clone(), bytes));
            Ok(etag)
        })
    }

    async fn parts(&self, _: &str, upload: &str) -> Result<Result<Vec<(u32, String)>, NoUpload>, Failure> {
        self.call(|| {
            let uploads = self.uploads.borrow();
            let parts = uploads.get(upload).ok_or(NoUpload)?;
            Ok(parts.iter().map(|(number, (etag, _))| (*number, etag.clone())).collect())
        })
    }

    async fn complete(
        &self,
        object: &str,
        upload: &str,
        parts: Vec<(u32, String)>,
    ) -> Result<Result<(), NoUpload>, Failure> {
        self.call(|| {
            let mut uploads = self.uploads.borrow_mut();
            let stored = uploads.get(upload).ok_or(NoUpload)?;
            let mut bytes = Vec::new();
            for (index, (number, etag)) in parts.iter().enumerate() {
                let (stored, part) = &stored[number];
                assert_eq!(stored, etag);
                assert!(part.len() >= SIZES.part || index + 1 == parts.len(), "S3 refuses short parts");
                bytes.extend(part);
            }
            uploads.remove(upload);
            self.objects.borrow_mut().insert(object.to_owned(), bytes);
            Ok(())
        })
    }

    async fn abort(&self, _: &str, upload: &str) -> Result<(), Failure> {
        self.call(|| drop(self.uploads.borrow_mut().remove(upload)))
    }

    async fn size(&self, object: &str) -> Result<Option<u64>, Failure> {
        self.call(|| self.objects.borrow().get(object).map(|bytes| bytes.len() as u64))
    }

    async fn store_work(&self, name: &str, bytes: Vec<u8>) -> Result<(), Failure> {
        self.call(|| drop(self.objects.borrow_mut().insert(name.to_owned(), bytes)))
    }

    async fn work(&self, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        self.call(|| self.objects.borrow().get(name).cloned())
    }

    async fn delete(&self, name: &str) -> Result<(), Failure> {
        self.call(|| drop(self.objects.borrow_mut().remove(name)))
    }

    async fn enqueue(&self, job: &ExportJob) -> Result<(), Failure> {
        self.call(|| self.queue.borrow_mut().push_back(job.clone()))
    }

    async fn notify(&self, export: &StoredExport) -> Result<(), Failure> {
        self.call(|| {
            self.announced.borrow_mut().insert(export.id.clone());
        })
    }
}
