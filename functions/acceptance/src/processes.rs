//! The function processes of a local cloud.
//!
//! Each execution environment is a child process with its function's name in its environment variables, as on Lambda.
//! So a test can find it, and kill it without warning, like a failing host.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::{fs, io};

use ledgerfold_testkit::http::Stack;

/// A running function process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pid(u32);

impl Pid {
    /// Kills the process with a signal that it cannot catch. It is no error if the process has already ended.
    ///
    /// # Errors
    /// If there is no program `kill`.
    pub fn kill(self) -> io::Result<()> {
        Command::new("kill")
            .args(["-9", &self.0.to_string()])
            .stderr(Stdio::null())
            .status()
            .map(|_| ())
    }
}

/// The processes of one function of this stack, by the function's full name. Processes of other local clouds on the
/// same machine have another endpoint and are not included.
///
/// # Errors
/// If the system does not list its processes under `/proc`.
pub fn of_function(stack: &Stack, function: &str) -> io::Result<Vec<Pid>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let folder = entry?.path();
        let pid =
            folder.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse().ok());
        let Some(pid) = pid else { continue };
        if let Some(environment) = environment_of(&folder)
            && belongs(&environment, stack, function)
        {
            found.push(Pid(pid));
        }
    }
    found.sort_unstable();
    Ok(found)
}

// A process may have ended after it was listed, or belong to another user. Both are ignored.
fn environment_of(folder: &std::path::Path) -> Option<Vec<u8>> {
    fs::read(PathBuf::from(folder).join("environ")).ok()
}

fn belongs(environment: &[u8], stack: &Stack, function: &str) -> bool {
    let value_of = |name: &str| {
        let prefix = format!("{name}=");
        environment
            .split(|byte| *byte == 0)
            .find_map(|pair| pair.strip_prefix(prefix.as_bytes()))
            .map(String::from_utf8_lossy)
    };
    let same_cloud = value_of("AWS_ENDPOINT_URL")
        .is_none_or(|endpoint| port_of(&endpoint) == port_of(&stack.endpoint));
    same_cloud && value_of("AWS_LAMBDA_FUNCTION_NAME").is_some_and(|name| name == function)
}

// The host has several names, such as `localhost` and `127.0.0.1`, but only one port.
fn port_of(endpoint: &str) -> Option<&str> {
    endpoint.trim_end_matches('/').rsplit(':').next()
}

#[cfg(test)]
mod tests {
    use super::belongs;
    use ledgerfold_testkit::http::Stack;

    fn stack() -> Stack {
        serde_json::from_str(
            r#"{"endpoint": "http://127.0.0.1:4566", "region": "r", "bus": "b", "archive": "a",
                "contexts": {"orders": {"api": "http://127.0.0.1:4566", "eventTable": "t"}}}"#,
        )
        .expect("a stack")
    }

    #[test]
    fn a_process_belongs_to_a_function_by_its_whole_name() {
        let environment = b"A=1\0AWS_LAMBDA_FUNCTION_NAME=orders-command\0B=2";
        assert!(belongs(environment, &stack(), "orders-command"));
        assert!(!belongs(environment, &stack(), "orders"));
    }

    #[test]
    fn a_process_of_another_local_cloud_is_left_alone() {
        let same = b"AWS_ENDPOINT_URL=http://localhost:4566\0AWS_LAMBDA_FUNCTION_NAME=f";
        let other = b"AWS_ENDPOINT_URL=http://127.0.0.1:4599\0AWS_LAMBDA_FUNCTION_NAME=f";
        assert!(belongs(same, &stack(), "f"));
        assert!(!belongs(other, &stack(), "f"));
    }
}
