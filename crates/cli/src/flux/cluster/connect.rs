//! From flags and kubeconfig to a connection, by kubectl's rules.

use std::collections::BTreeMap;

use kube::config::{
    AuthInfo, Cluster, Context, KubeConfigOptions, Kubeconfig, NamedAuthInfo, NamedCluster,
    NamedContext,
};
use serde_json::{Value, json};

use crate::flux::Stop;
use crate::flux::parse::Arguments;

/// Where kubectl looks when nothing is configured.
const DEFAULT_SERVER: &str = "http://localhost:8080";

/// The configuration, and the server's address.
pub(super) async fn config(arguments: &Arguments<'_>) -> Result<(kube::Config, String), Stop> {
    let mut kubeconfig = load(arguments)?;
    let context = arguments
        .some_text("context")
        .map(str::to_owned)
        .or_else(|| kubeconfig.current_context.clone())
        .filter(|context| !context.is_empty());
    let exists = |name: &str| kubeconfig.contexts.iter().any(|known| known.name == name);
    if let Some(context) = arguments.some_text("context").filter(|name| !exists(name)) {
        return Err(format!("context \"{context}\" does not exist").into());
    }
    let known = context.as_ref().and_then(|name| {
        kubeconfig
            .contexts
            .iter()
            .find(|known| known.name == *name)?
            .context
            .clone()
    });
    let cluster = arguments
        .some_text("cluster")
        .map(str::to_owned)
        .or_else(|| known.as_ref().map(|context| context.cluster.clone()));
    let user = arguments
        .some_text("user")
        .map(str::to_owned)
        .or_else(|| known.as_ref().and_then(|context| context.user.clone()));
    let mut server = kubeconfig
        .clusters
        .iter()
        .find(|known| Some(&known.name) == cluster.as_ref())
        .and_then(|known| known.cluster.clone())
        .unwrap_or_default();
    let mut login = kubeconfig
        .auth_infos
        .iter()
        .find(|known| Some(&known.name) == user.as_ref())
        .and_then(|known| known.auth_info.clone())
        .unwrap_or_default();
    override_server(&mut server, arguments);
    override_login(&mut login, arguments)?;
    let address = server.server.clone().unwrap_or_default();
    let name = "flux".to_owned();
    kubeconfig.clusters = vec![NamedCluster {
        name: name.clone(),
        cluster: Some(server),
        other: BTreeMap::default(),
    }];
    kubeconfig.auth_infos = vec![NamedAuthInfo {
        name: name.clone(),
        auth_info: Some(login),
        other: BTreeMap::default(),
    }];
    let context = Context {
        cluster: name.clone(),
        user: Some(name.clone()),
        ..known.unwrap_or_default()
    };
    kubeconfig.contexts = vec![NamedContext {
        name: name.clone(),
        context: Some(context),
        other: BTreeMap::default(),
    }];
    kubeconfig.current_context = Some(name);
    let config =
        kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    let mut config = config.map_err(|error| Stop::Failed(chain(&error)))?;
    impersonate(&mut config, arguments);
    Ok((config, address))
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

fn override_server(server: &mut Cluster, arguments: &Arguments<'_>) {
    if let Some(address) = arguments.some_text("server") {
        let address = if address.contains("://") {
            address.to_owned()
        } else {
            format!("http://{address}")
        };
        server.server = Some(address);
    }
    if server.server.as_deref().is_none_or(str::is_empty) {
        server.server = Some(DEFAULT_SERVER.to_owned());
    }
    if arguments.boolean("insecure-skip-tls-verify") {
        server.insecure_skip_tls_verify = Some(true);
        server.certificate_authority = None;
        server.certificate_authority_data = None;
    }
    if let Some(file) = arguments.some_text("certificate-authority") {
        server.certificate_authority = Some(file.to_owned());
        server.certificate_authority_data = None;
    }
    if let Some(name) = arguments.some_text("tls-server-name") {
        server.tls_server_name = Some(name.to_owned());
    }
}

/// Merges the flags into the login. The type keeps some fields to itself; all of them have a JSON form.
fn override_login(login: &mut AuthInfo, arguments: &Arguments<'_>) -> Result<(), Stop> {
    let mut changes = serde_json::Map::new();
    let flags = [
        ("token", "token", "tokenFile"),
        (
            "client-certificate",
            "client-certificate",
            "client-certificate-data",
        ),
        ("client-key", "client-key", "client-key-data"),
    ];
    for (flag, field, instead_of) in flags {
        if let Some(text) = arguments.some_text(flag) {
            changes.insert(field.to_owned(), json!(text));
            changes.insert(instead_of.to_owned(), Value::Null);
        }
    }
    if changes.is_empty() {
        return Ok(());
    }
    let mut merged: AuthInfo = serde_json::from_value(Value::Object(changes.clone()))
        .map_err(|error| Stop::Failed(error.to_string()))?;
    if !changes.contains_key("token") {
        merged.token = login.token.take();
        merged.token_file = login.token_file.take();
    }
    *login = merged;
    Ok(())
}

fn impersonate(config: &mut kube::Config, arguments: &Arguments<'_>) {
    if let Some(user) = arguments.some_text("as") {
        config.auth_info.impersonate = Some(user.to_owned());
    }
    let groups = arguments.list("as-group");
    if !groups.is_empty() {
        config.auth_info.impersonate_groups = Some(groups.to_vec());
    }
}

/// The kubeconfig: the file of the flag, else those of `$KUBECONFIG`, else the user's; empty without any.
fn load(arguments: &Arguments<'_>) -> Result<Kubeconfig, Stop> {
    let read =
        |path: &str| Kubeconfig::read_from(path).map_err(|error| Stop::Failed(chain(&error)));
    if let Some(path) = arguments.some_text("kubeconfig") {
        if !std::path::Path::new(path).exists() {
            let missing = format!("stat {path}: no such file or directory");
            return Err(Stop::Failed(missing));
        }
        return read(path);
    }
    let list = std::env::var("KUBECONFIG").unwrap_or_default();
    if list.is_empty() {
        let home = std::env::var("HOME").unwrap_or_default();
        let path = format!("{home}/.kube/config");
        return if std::path::Path::new(&path).exists() {
            read(&path)
        } else {
            Ok(Kubeconfig::default())
        };
    }
    let mut all = Kubeconfig::default();
    for path in list
        .split(':')
        .filter(|path| std::path::Path::new(path).exists())
    {
        all = all
            .merge(read(path)?)
            .map_err(|error| Stop::Failed(chain(&error)))?;
    }
    Ok(all)
}

/// The names of the contexts.
pub(crate) fn context_names(arguments: &Arguments<'_>) -> Result<Vec<String>, Stop> {
    let mut names: Vec<String> = load(arguments)?
        .contexts
        .into_iter()
        .map(|context| context.name)
        .collect();
    names.sort_unstable();
    Ok(names)
}

/// The namespace of the context that is used, if it names one.
pub(crate) fn context_namespace(arguments: &Arguments<'_>) -> Option<String> {
    let kubeconfig = load(arguments).ok()?;
    let name = arguments
        .some_text("context")
        .map(str::to_owned)
        .or(kubeconfig.current_context)?;
    let context = kubeconfig
        .contexts
        .into_iter()
        .find(|context| context.name == name)?;
    context
        .context?
        .namespace
        .filter(|namespace| !namespace.is_empty())
}
