//! `ledgerfold verify-certificate`: verifies the certificate of an erasure, offline.

use std::{
    fmt::Write as _,
    fs,
    io::{self, Read as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::Args;
use ledgerfold::erasure::{SignedCertificate, verify_certificate};
use serde::Serialize;

use crate::{
    error::{CliError, FINDINGS},
    output::{Output, Report},
};

/// Verify the certificate of an erasure, without any request
///
/// The file has the JSON of the certificate, as the API shows it. Without --key, the command only shows that nobody has
/// changed the certificate since it was signed with the key in it. Compare this key with the published one.
#[derive(Debug, Args)]
pub(crate) struct VerifyCertificate {
    /// The file, or - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The public key that must have signed it, in base64url
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

/// The verdict on a certificate.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase", tag = "verdict")]
enum Verdict {
    Holds(Box<SignedCertificate>),
    Fails { reason: String },
}

pub(crate) fn run(command: &VerifyCertificate, output: &mut Output) -> Result<ExitCode, CliError> {
    let verdict = match verify_certificate(&read(command)?, command.key.as_deref()) {
        Ok(signed) => Verdict::Holds(Box::new(signed)),
        Err(error) => Verdict::Fails { reason: error.to_string() },
    };
    output.report(&verdict)?;
    Ok(match verdict {
        Verdict::Holds(_) => ExitCode::SUCCESS,
        Verdict::Fails { .. } => ExitCode::from(FINDINGS),
    })
}

fn read(command: &VerifyCertificate) -> Result<String, CliError> {
    let mut text = String::new();
    let read = match command.file.to_str() {
        Some("-") => io::stdin().read_to_string(&mut text).map(|_| text),
        _ => fs::read_to_string(&command.file),
    };
    let path = command.file.clone();
    read.map_err(|source| CliError::UnreadableCertificate { path, source })
}

impl Report for Verdict {
    fn text(&self) -> String {
        let signed = match self {
            Self::Holds(signed) => signed,
            Self::Fails { reason } => return format!("The certificate does not hold: {reason}.\n"),
        };
        let certificate = &signed.certificate;
        let mut text = format!(
            "The certificate holds.\n\nsubject        {} of {} in {}\nerased at      {}\nunreadable     since {}\n\
             irrecoverable  since {}\nbasis          {}\nsigned by      {}\n",
            certificate.subject,
            certificate.tenant,
            certificate.context,
            certificate.erased_at,
            certificate.unreadable_since,
            certificate.irrecoverable_since,
            certificate.basis,
            signed.public_key,
        );
        for checked in &certificate.checked {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{:>13}  {}", checked.count, checked.what);
        }
        text
    }
}
