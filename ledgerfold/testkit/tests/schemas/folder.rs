use std::{
    fs,
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
};

use ledgerfold::schema::Contract;
use ledgerfold_testkit::schemas::{About, Kept, KeptError, examine};

pub(crate) const ABOUT: About<'_> =
    About { context: "shop", version: "1.0.0", description: "What happens in a shop." };

/// A temporary folder of a contract. It is deleted after the test.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn empty() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("ledgerfold-contract-{}-{count}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    /// A folder with the complete contract of these events.
    pub(crate) fn of<E: Contract>(samples: &[E]) -> Self {
        let folder = Self::empty();
        folder.update(samples);
        assert_eq!(folder.sentences(samples), [""; 0], "the new contract differs from its events");
        folder
    }

    /// The result of the check.
    pub(crate) fn sentences<E: Contract>(&self, samples: &[E]) -> Vec<String> {
        let kept = self.kept().expect("the files can be read");
        examine(&ABOUT, &kept, samples).findings.iter().map(ToString::to_string).collect()
    }

    /// Writes the files of the check.
    pub(crate) fn update<E: Contract>(&self, samples: &[E]) {
        let kept = self.kept().expect("the files can be read");
        let update = examine(&ABOUT, &kept, samples).update;
        update.write(&self.0).expect("the folder can be written");
    }

    pub(crate) fn kept(&self) -> Result<Kept, KeptError> {
        Kept::read(&self.0)
    }

    pub(crate) fn text(&self, file: &str) -> String {
        fs::read_to_string(self.0.join(file)).expect("the file exists")
    }

    pub(crate) fn put(&self, file: &str, text: &str) {
        let path = self.0.join(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder can be created");
        fs::write(path, text).expect("the file can be written");
    }

    pub(crate) fn remove(&self, file: &str) {
        fs::remove_file(self.0.join(file)).expect("the file exists");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A leftover folder does no harm, and a panic during unwinding would hide the test's own failure.
        let _result = fs::remove_dir_all(&self.0);
    }
}
