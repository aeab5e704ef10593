// What bench/net asks of Rust: `tenon_net_rust echo|http`, tokio and hyper. Prints the port that it listens on.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{body::Incoming, header, server::conn::http1, service::service_fn, Request, Response};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn echo(mut peer: TcpStream) {
    let mut block = vec![0; 16 * 1024];
    while let Ok(n) = peer.read(&mut block).await {
        if n == 0 || peer.write_all(&block[..n]).await.is_err() {
            return;
        }
    }
}

static LARGE: [u8; 64 * 1024] = [b'x'; 64 * 1024];

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = if request.uri().path() == "/64k" { Bytes::from_static(&LARGE) } else { Bytes::from_static(b"hello\n") };
    let response = Response::builder().header(header::CONTENT_TYPE, "text/plain").body(Full::new(body));
    Ok(response.unwrap())
}

#[tokio::main]
async fn main() {
    let is_echo = std::env::args().nth(1).as_deref() == Some("echo");
    let at = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{}", at.local_addr().unwrap().port());
    loop {
        let (peer, _) = at.accept().await.unwrap();
        let _ = peer.set_nodelay(true);
        tokio::spawn(async move {
            if is_echo {
                echo(peer).await;
            } else {
                let _ = http1::Builder::new().serve_connection(TokioIo::new(peer), service_fn(answer)).await;
            }
        });
    }
}
