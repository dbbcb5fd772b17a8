//! The command line `ledgerfold`, which verifies.

use std::env;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

/// The program beside this one, for one tenant.
pub(super) struct Programs {
    ledgerfold: PathBuf,
    tenant: String,
}

/// The verdict of `verify-chain`.
pub(super) struct Verified {
    /// Whether it found nothing.
    pub(super) is_clean: bool,
    /// Its report.
    pub(super) text: String,
}

impl Programs {
    pub(super) fn new(tenant: &str) -> io::Result<Self> {
        let ledgerfold = env::current_exe()?.with_file_name("ledgerfold");
        if !ledgerfold.is_file() {
            let reason =
                format!("{} is missing: run cargo build --bin ledgerfold", ledgerfold.display());
            return Err(io::Error::other(reason));
        }
        Ok(Self { ledgerfold, tenant: tenant.to_owned() })
    }

    pub(super) fn tenant(&self) -> &str {
        &self.tenant
    }

    /// Verifies the streams of the demo's tenant.
    pub(super) fn verify_chain(&self) -> io::Result<Verified> {
        let mut command = Command::new(&self.ledgerfold);
        command.args(["verify-chain", "--context", "patients", "--tenant", &self.tenant]);
        let output = command.stderr(Stdio::inherit()).output()?;
        let text = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
        match output.status.code() {
            Some(0) => Ok(Verified { is_clean: true, text }),
            Some(3) => Ok(Verified { is_clean: false, text }),
            _ => Err(io::Error::other("ledgerfold verify-chain has failed")),
        }
    }

    /// Verifies a certificate, offline.
    pub(super) fn verify_certificate(&self, certificate: &Value) -> io::Result<(bool, String)> {
        let mut command = Command::new(&self.ledgerfold);
        command.args(["verify-certificate", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::piped()).spawn()?;
        if let Some(mut input) = child.stdin.take() {
            input.write_all(certificate.to_string().as_bytes())?;
        }
        let output = child.wait_with_output()?;
        let said = [&output.stdout[..], &output.stderr[..]].concat();
        let said = String::from_utf8_lossy(&said).trim_end().to_owned();
        Ok((output.status.success(), said))
    }
}
