//! The turn of a test on a stack.

use std::fs::File;

use ledgerfold_testkit::http::Stack;

/// The right of a test to use the stack, until it is dropped. It uses a file lock, because the test runner starts a
/// process for each test.
#[derive(Debug)]
pub struct Turn {
    /// The running stack.
    pub stack: Stack,
    // The lock is held as long as the file is open.
    _lock: File,
}

impl Turn {
    /// Waits for the stack, which other tests may use at the same time.
    ///
    /// # Panics
    /// If the stack is not up.
    #[must_use]
    pub fn shared() -> Self {
        Self::take(|file| file.lock_shared().expect("the file system has locks"))
    }

    /// Waits until no other test uses the stack.
    ///
    /// # Panics
    /// If the stack is not up.
    #[must_use]
    pub fn alone() -> Self {
        Self::take(|file| file.lock().expect("the file system has locks"))
    }

    fn take(lock: impl Fn(&File)) -> Self {
        let path = Stack::path().expect("the stack is up");
        let file = File::create(path.with_extension("lock")).expect("the folder can be written");
        lock(&file);
        let stack = Stack::read(&path).expect("the stack is up");
        Self { stack, _lock: file }
    }
}
