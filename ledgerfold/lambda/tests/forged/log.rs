//! The log, in memory.

use std::{
    io,
    sync::{Arc, Mutex},
};

use tracing_subscriber::fmt::MakeWriter;

/// The lines of a log. A mutex, because subscribers are shared between threads.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Runs a test, and collects its log.
    pub(crate) fn during<T>(&self, test: impl FnOnce() -> T) -> T {
        let lines = tracing_subscriber::fmt().with_ansi(false).with_writer(self.clone());
        tracing::subscriber::with_default(lines.finish(), test)
    }

    /// The lines since the last call.
    pub(crate) fn take(&self) -> String {
        let lines = std::mem::take(&mut *self.0.lock().expect("no test panicked"));
        String::from_utf8(lines).expect("a log is text")
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no test panicked").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
