use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// An HTTP service on this machine that gives recorded answers, one per request: for cases that no emulator produces,
/// for example a throttle, or a connection that breaks after a write.
#[derive(Clone)]
pub struct RecordedService {
    endpoint: String,
    /// A mutex, because connections are concurrent. Each answer takes the next record.
    state: Arc<Mutex<State>>,
}

/// One recorded answer.
#[derive(Clone, Debug)]
pub enum RecordedAnswer {
    /// A status and a JSON body.
    Json(u16, String),
    /// The connection is closed without an answer.
    HangUp,
}

/// The answer to a request with this body.
type Answers = Box<dyn FnMut(&str) -> RecordedAnswer + Send>;

struct State {
    answers: Answers,
    requests: Vec<String>,
}

impl RecordedService {
    /// A service that gives these answers, and hangs up after the last.
    ///
    /// # Panics
    /// If this machine has no free port on 127.0.0.1.
    pub async fn start(answers: impl IntoIterator<Item = RecordedAnswer>) -> Self {
        let mut answers: VecDeque<_> = answers.into_iter().collect();
        Self::answering(move |_| answers.pop_front().unwrap_or(RecordedAnswer::HangUp)).await
    }

    /// A service that answers each request by its body.
    ///
    /// # Panics
    /// If this machine has no free port on 127.0.0.1.
    pub async fn answering(answer: impl FnMut(&str) -> RecordedAnswer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port on this machine");
        let address = listener.local_addr().expect("a bound socket has an address");
        let state = State { answers: Box::new(answer), requests: Vec::new() };
        let service =
            Self { endpoint: format!("http://{address}"), state: Arc::new(Mutex::new(state)) };
        let serving = service.clone();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let service = serving.clone();
                tokio::spawn(async move { service.serve(connection).await });
            }
        });
        service
    }

    /// Where it listens.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The bodies of all requests so far.
    pub fn requests(&self) -> Vec<String> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).requests.clone()
    }

    /// Answers request after request, until the other side or the record ends.
    async fn serve(&self, connection: TcpStream) {
        let mut connection = BufReader::new(connection);
        while let Some(body) = request_body(&mut connection).await {
            let answer = {
                let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                let answer = (state.answers)(&body);
                state.requests.push(body);
                answer
            };
            let RecordedAnswer::Json(status, body) = answer else { return };
            let head = format!(
                "HTTP/1.1 {status} Recorded\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            if connection.write_all((head + &body).as_bytes()).await.is_err() {
                return;
            }
        }
    }
}

impl fmt::Debug for RecordedService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordedService").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// The body of the next request on a connection.
async fn request_body(connection: &mut BufReader<TcpStream>) -> Option<String> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if connection.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        match line.trim_end().to_ascii_lowercase().split_once(':') {
            Some(("content-length", value)) => length = value.trim().parse().ok()?,
            Some(_) => {}
            None if line.trim_end().is_empty() => break,
            None => {}
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body).await.ok()?;
    String::from_utf8(body).ok()
}
