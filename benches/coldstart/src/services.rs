//! A server in place of Lambda's runtime API and of EventBridge. It hands each request to the measurement, with the moment
//! of its arrival.

use std::{net::SocketAddr, time::Instant};

use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
};

/// A request of the function.
pub(crate) struct Arrival {
    pub(crate) at: Instant,
    pub(crate) path: String,
    pub(crate) body: Bytes,
    reply: oneshot::Sender<Response<Full<Bytes>>>,
}

impl Arrival {
    pub(crate) fn reply(self, status: StatusCode, headers: &[(&str, &str)], body: String) {
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        if let Ok(response) = response.body(Full::new(body.into())) {
            // A function that ends meanwhile does not need the answer.
            let _ = self.reply.send(response);
        }
    }
}

/// Requests, in the order of their arrival.
pub(crate) struct Services {
    pub(crate) address: SocketAddr,
    pub(crate) arrivals: mpsc::UnboundedReceiver<Arrival>,
}

impl Services {
    /// Listens on a free port of the loopback interface.
    pub(crate) async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (sender, arrivals) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let sender = sender.clone();
                let answer = service_fn(move |request| answer(request, sender.clone()));
                let connection = TokioIo::new(connection);
                tokio::spawn(http1::Builder::new().serve_connection(connection, answer));
            }
        });
        Ok(Self { address, arrivals })
    }
}

async fn answer(
    request: Request<Incoming>,
    sender: mpsc::UnboundedSender<Arrival>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let at = Instant::now();
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await?.to_bytes();
    let (reply, answer) = oneshot::channel();
    let _ = sender.send(Arrival { at, path, body, reply });
    // A request that is never answered waits until its function is ended.
    Ok(match answer.await {
        Ok(response) => response,
        Err(_) => std::future::pending().await,
    })
}
