//! SOCKS5 (RFC 1928, RFC 1929): the way to SSH servers behind a proxy.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::GitError;

/// Connects to `host` and `port` through the proxy at `proxy`, e.g. `socks5://user:password@proxy:1080`.
pub(crate) async fn connect(proxy: &str, host: &str, port: u16) -> Result<TcpStream, GitError> {
    let error = |text: &str| GitError::Ssh(format!("socks connect: {text}"));
    let url = reqwest::Url::parse(proxy).map_err(|_| error("the proxy's address is not valid"))?;
    if !matches!(url.scheme(), "socks5" | "socks5h") {
        return Err(GitError::Ssh(format!(
            "proxy: unknown scheme: {}",
            url.scheme()
        )));
    }
    let address = (
        url.host_str()
            .unwrap_or_default()
            .trim_matches(['[', ']'])
            .to_owned(),
        url.port().unwrap_or(1080),
    );
    let io = |cause: std::io::Error| error(&cause.to_string());
    let mut stream = TcpStream::connect(address).await.map_err(io)?;
    let login =
        (!url.username().is_empty()).then(|| (url.username(), url.password().unwrap_or_default()));
    let methods: &[u8] = if login.is_some() {
        &[5, 2, 0, 2]
    } else {
        &[5, 1, 0]
    };
    stream.write_all(methods).await.map_err(io)?;
    let mut answer = [0; 2];
    stream.read_exact(&mut answer).await.map_err(io)?;
    match (answer, login) {
        ([5, 0], _) => {}
        ([5, 2], Some((user, password))) => {
            let short = |text: &str| {
                u8::try_from(text.len()).map_err(|_| error("invalid username/password"))
            };
            let mut request = vec![1, short(user)?];
            request.extend_from_slice(user.as_bytes());
            request.push(short(password)?);
            request.extend_from_slice(password.as_bytes());
            stream.write_all(&request).await.map_err(io)?;
            stream.read_exact(&mut answer).await.map_err(io)?;
            if answer[1] != 0 {
                return Err(error("username/password authentication failed"));
            }
        }
        _ => return Err(error("no acceptable authentication methods")),
    }
    let length = u8::try_from(host.len()).map_err(|_| error("FQDN too long"))?;
    let mut request = vec![5, 1, 0, 3, length];
    request.extend_from_slice(host.as_bytes());
    request.extend_from_slice(&port.to_be_bytes());
    stream.write_all(&request).await.map_err(io)?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).await.map_err(io)?;
    if answer[1] != 0 {
        return Err(error(&format!("the proxy answers with code {}", answer[1])));
    }
    let rest = match answer[3] {
        1 => 3,
        4 => 15,
        3 => usize::from(answer[4]),
        _ => return Err(error("unknown address type")),
    };
    let mut bound = vec![0; rest + 2];
    stream.read_exact(&mut bound).await.map_err(io)?;
    Ok(stream)
}
