//! `sluice up`: the embedded control plane.

mod apply;
mod sync;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use apiserver::auth::StaticTokens;
use apiserver::http::tls::Tls;
use apiserver::store::StoreError;
use apiserver::{Config, Server, StartError, User};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, ValueEnum};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// The flags of `sluice up`.
#[derive(Args)]
pub(crate) struct Up {
    /// Directory of the database, certificates and kubeconfig.
    #[arg(long, default_value = ".sluice")]
    dir: PathBuf,
    /// Port to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 6443)]
    port: u16,
    /// Address to listen on.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    address: IpAddr,
    /// Where to write the kubeconfig [default: DIR/kubeconfig].
    #[arg(long)]
    kubeconfig: Option<PathBuf>,
    /// Whether Deployments, Jobs and the like come to life, as on a healthy cluster.
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set)]
    simulate_workloads: bool,
    /// Keep everything in memory.
    #[arg(long)]
    in_memory: bool,
    /// File to write once the server is ready; it holds the URL.
    #[arg(long)]
    ready_file: Option<PathBuf>,
    /// Tokens to let in: lines of token,user,uid,"group1,group2".
    #[arg(long)]
    token_auth_file: Option<PathBuf>,
    /// Admission plugins to run besides those that always do; the only one is ServiceAccount, which
    /// gives pods an account and its token.
    #[arg(long, value_delimiter = ',', value_name = "PLUGIN")]
    enable_admission_plugins: Vec<AdmissionPlugin>,
    /// Apply the objects in this file or folder once the server is ready; may be repeated
    #[arg(long, value_name = "PATH")]
    apply: Vec<PathBuf>,
    /// Wait until all that was applied is ready, print how it stands, and end
    #[arg(long, requires = "apply")]
    once: bool,
    #[command(flatten)]
    sync: sync::Sync,
}

/// The admission plugins that are not run unless asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum AdmissionPlugin {
    #[value(name = "ServiceAccount")]
    ServiceAccount,
}

/// Why the control plane did not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("cannot use {path}")]
    File {
        path: String,
        source: std::io::Error,
    },
    #[error("cannot use the token file {path}")]
    Tokens {
        path: String,
        source: apiserver::auth::TokenFileError,
    },
    #[error("cannot listen on {address}")]
    Listen {
        address: SocketAddr,
        source: std::io::Error,
    },
    #[error("cannot apply what --apply names")]
    Apply(#[source] apply::ApplyError),
    #[error("cannot sync the repository")]
    Sync(#[source] sync::SyncError),
    #[error("cannot start the runtime")]
    Runtime(#[source] std::io::Error),
}

impl UpError {
    /// What the user can do about it.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Listen { .. } => {
                Some("choose another port with --port, or 0 for a free one".to_owned())
            }
            Self::Tokens { .. } => Some(
                "each line is token,user,uid,\"group1,group2\"; the groups may be left out"
                    .to_owned(),
            ),
            Self::Start(StartError::Store(StoreError::InUse(_))) => Some(
                "stop the other process, or give this one another directory with --dir".to_owned(),
            ),
            _ => None,
        }
    }
}

fn file_error(path: &Path) -> impl Fn(std::io::Error) -> UpError + '_ {
    move |source| UpError::File {
        path: path.display().to_string(),
        source,
    }
}

/// Runs until SIGTERM or SIGINT.
pub(crate) fn run(up: Up) -> Result<(), UpError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(UpError::Runtime)?;
    runtime.block_on(serve(up))
}

async fn serve(up: Up) -> Result<(), UpError> {
    // Before anything else, so that a signal during the start ends it cleanly, too.
    let stop = crate::signals::stop().map_err(UpError::Runtime)?;
    let mut tokens = StaticTokens::default();
    if let Some(path) = &up.token_auth_file {
        let text = std::fs::read_to_string(path).map_err(file_error(path))?;
        tokens = StaticTokens::parse(&text).map_err(|source| UpError::Tokens {
            path: path.display().to_string(),
            source,
        })?;
    }
    let admin = admin_token(&up)?;
    tokens = tokens.with(&admin, User::system("kubernetes-admin"));
    let address = SocketAddr::new(up.address, up.port);
    let listener = TcpListener::bind(address)
        .await
        .map_err(|source| UpError::Listen { address, source })?;
    let bound = listener.local_addr().map_err(UpError::Runtime)?;
    let hosts: Vec<String> = ["localhost", "127.0.0.1", "::1", "kubernetes.default.svc"]
        .into_iter()
        .map(str::to_owned)
        .chain([bound.ip().to_string()])
        .collect();
    let tls = if up.in_memory {
        Tls::ephemeral(&hosts)?
    } else {
        Tls::in_directory(&up.dir, &hosts)?
    };
    let host = if bound.ip().is_unspecified() {
        IpAddr::V4(Ipv4Addr::LOCALHOST)
    } else {
        bound.ip()
    };
    let reachable = SocketAddr::new(host, bound.port());
    let config = Config {
        directory: (!up.in_memory).then(|| up.dir.clone()),
        tokens,
        advertise: reachable.to_string(),
        certificate_authority: tls.authority_pem.clone(),
        simulate_workloads: up.simulate_workloads,
        service_account_admission: up
            .enable_admission_plugins
            .contains(&AdmissionPlugin::ServiceAccount),
        ..Config::default()
    };
    let server = Server::start(config).await?;
    let listening = server.serve(listener, Some(&tls))?;
    let url = format!("https://{reachable}");
    let kubeconfig = write_kubeconfig(&up, &url, &tls.authority_pem, &admin)?;
    announce(&up, &url, &kubeconfig)?;
    let ending = CancellationToken::new();
    let syncing = up
        .sync
        .start(&server, &admin, ending.clone())
        .await
        .map_err(UpError::Sync)?;
    let work = async {
        let applied = apply::run(&server, &up.apply).await?;
        if up.once {
            return applied.wait(&server).await;
        }
        std::future::pending().await
    };
    let outcome = tokio::select! {
        outcome = work => outcome.map_err(UpError::Apply),
        error = syncing.failed() => Err(UpError::Sync(error)),
        () = stop => Ok(()),
    };
    ending.cancel();
    server.shutdown().await;
    listening.ended().await;
    outcome
}

/// The administrator's token: kept in the directory, so that a kubeconfig outlives the process.
fn admin_token(up: &Up) -> Result<String, UpError> {
    let fresh = uuid::Uuid::new_v4().simple().to_string();
    if up.in_memory {
        return Ok(fresh);
    }
    let path = up.dir.join("admin-token");
    if let Ok(token) = std::fs::read_to_string(&path) {
        return Ok(token.trim().to_owned());
    }
    std::fs::create_dir_all(&up.dir).map_err(file_error(&up.dir))?;
    write_private(&path, &fresh)?;
    Ok(fresh)
}

fn write_private(path: &Path, text: &str) -> Result<(), UpError> {
    use std::io::Write as _;
    let mut options = std::fs::File::options();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(file_error(path))?;
    file.write_all(text.as_bytes()).map_err(file_error(path))
}

fn write_kubeconfig(up: &Up, url: &str, authority: &str, token: &str) -> Result<PathBuf, UpError> {
    let path = match &up.kubeconfig {
        Some(path) => path.clone(),
        None => {
            std::fs::create_dir_all(&up.dir).map_err(file_error(&up.dir))?;
            up.dir.join("kubeconfig")
        }
    };
    // JSON is YAML, and every client reads it.
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "sluice", "cluster": {
            "server": url, "certificate-authority-data": STANDARD.encode(authority),
        }}],
        "users": [{"name": "sluice", "user": {"token": token}}],
        "contexts": [{"name": "sluice", "context": {"cluster": "sluice", "user": "sluice"}}],
        "current-context": "sluice",
    });
    write_private(&path, &format!("{config:#}\n"))?;
    Ok(path)
}

fn announce(up: &Up, url: &str, kubeconfig: &Path) -> Result<(), UpError> {
    #[expect(clippy::print_stdout, reason = "the command's one line of output")]
    {
        println!("{url} {}", kubeconfig.display());
    }
    if let Some(path) = &up.ready_file {
        std::fs::write(path, format!("{url}\n")).map_err(file_error(path))?;
    }
    Ok(())
}
