//! The commands that change releases: `install`, `upgrade`, `rollback`, `uninstall`, `test`.

use std::io::Write;
use std::sync::Arc;

use ::release::{
    Actions, Cluster, Install, Reuse, Rollback, Test, Uninstall, Upgrade, WaitStrategy,
};
use helm::flags::{Flag, Parsed, Takes, parse};
use helm::release::{Release, Status};
use helm::template::{CHART_FLAGS, GLOBAL_FLAGS, INSTALL_FLAGS, VALUE_FLAGS};

use super::flags::{
    OUTPUT_FLAGS, Settings, UPGRADE_FLAGS, chart, common, duration, pairs, rendering, values,
};
use super::output::{Form, Shown, print_release, print_value, release_value};
use super::{HelmError, at_least_one, exactly, said, with_cluster};

const HIDE_SECRET: &[Flag] = &[Flag::new("hide-secret", Takes::Bool)];

fn show(
    release: &Release,
    given: &Parsed,
    settings: &Settings,
    out: &mut dyn Write,
) -> Result<(), HelmError> {
    match Form::of(given)? {
        Form::Table => {
            let shown = Shown {
                debug: given.is_set("debug"),
                hide_notes: given.is_set("hide-notes"),
                hide_description: settings.compat.is_v3(),
                ..Shown::default()
            };
            print_release(release, shown, out)
        }
        form => Ok(print_value(form, &release_value(release, true)?, out)?),
    }
}

/// The name and the chart that the words of `install` give.
fn name_and_chart(given: &Parsed) -> Result<(String, String), HelmError> {
    let generate = given.is_set("generate-name");
    let template = given.text("name-template");
    match &given.words[..] {
        [name, chart] => {
            if generate {
                return Err(said("cannot set --generate-name and also specify a name"));
            }
            if !template.is_empty() {
                return Err(said("cannot set --name-template and also specify a name"));
            }
            Ok((name.clone(), chart.clone()))
        }
        [chart] if !template.is_empty() => {
            let environment = super::environment::System;
            let name = helm::template::render_name(&template, &environment).map_err(said)?;
            Ok((name, chart.clone()))
        }
        [chart] if generate => {
            let base = chart
                .trim_end_matches('/')
                .rsplit('/')
                .next()
                .unwrap_or_default();
            let base = base.split('.').next().unwrap_or_default();
            let base = if base.is_empty() { "chart" } else { base };
            let now = jiff::Timestamp::now().as_second();
            Ok((format!("{base}-{now}"), chart.clone()))
        }
        [_] => Err(said(
            "must either provide a name or specify --generate-name",
        )),
        [_, _, more @ ..] => Err(said(format!(
            "expected at most two arguments, unexpected arguments: {}",
            more.join(", ")
        ))),
        [] => Err(said(
            "must either provide a name or specify --generate-name",
        )),
    }
}

fn install_options(name: &str, given: &Parsed) -> Result<Install, HelmError> {
    Ok(Install {
        name: name.to_owned(),
        common: common(given)?,
        rendering: rendering(given),
        labels: pairs(given, "labels")?,
        create_namespace: given.is_set("create-namespace"),
        skip_crds: given.is_set("skip-crds"),
        replace: given.is_set("replace"),
        include_crds: false,
    })
}

fn with_log<C: Cluster>(actions: Actions<C>) -> Actions<C> {
    actions.log_hooks_to(Arc::new(|text| {
        #[expect(
            clippy::print_stdout,
            reason = "Helm shows the logs of hooks as they come"
        )]
        {
            print!("{text}");
        }
    }))
}

pub(super) fn install(words: &[String], out: &mut dyn Write) -> Result<(), HelmError> {
    let flags = [
        GLOBAL_FLAGS,
        VALUE_FLAGS,
        CHART_FLAGS,
        INSTALL_FLAGS,
        HIDE_SECRET,
        OUTPUT_FLAGS,
    ];
    let given = parse(&flags, words)?;
    at_least_one(&given, "install", "[NAME] [CHART]")?;
    let failed = |error: HelmError| said(format!("INSTALLATION FAILED: {error}"));
    let (name, reference) = name_and_chart(&given).map_err(failed)?;
    let options = install_options(&name, &given).map_err(failed)?;
    with_cluster(&given, async |actions, settings| {
        let release = run_install(with_log(actions), settings, &given, &reference, &options)
            .await
            .map_err(failed)?;
        show(&release, &given, settings, out)
    })
}

async fn run_install<C: Cluster>(
    actions: Actions<C>,
    settings: &Settings,
    given: &Parsed,
    reference: &str,
    options: &Install,
) -> Result<Release, HelmError> {
    // Flags about the chart come first, then the values, as in Helm.
    super::flags::locate(reference)?;
    let values = values(given, settings.compat)?;
    let chart = chart(reference, settings.compat)?;
    Ok(actions.install(chart, values, options).await?)
}

pub(super) fn upgrade(words: &[String], out: &mut dyn Write) -> Result<(), HelmError> {
    let flags = [
        GLOBAL_FLAGS,
        VALUE_FLAGS,
        CHART_FLAGS,
        UPGRADE_FLAGS,
        OUTPUT_FLAGS,
    ];
    let given = parse(&flags, words)?;
    let [name, reference] = exactly(&given, "upgrade", "[RELEASE] [CHART]", 2)? else {
        return Err(said("\"helm upgrade\" requires 2 arguments"));
    };
    let options = Upgrade {
        name: name.clone(),
        common: common(&given)?,
        rendering: rendering(&given),
        labels: pairs(&given, "labels")?,
        reuse: reuse(&given),
        unlock: false,
    };
    let form = Form::of(&given)?;
    with_cluster(&given, async |actions, settings| {
        let actions = with_log(actions);
        if given.is_set("install") {
            let last = actions.storage().history(name).await?.pop();
            let removed = last
                .as_ref()
                .is_some_and(|last| last.info.status == Status::Uninstalled);
            if last.is_none() || removed {
                if form == Form::Table {
                    writeln!(out, "Release {name:?} does not exist. Installing it now.")?;
                }
                let mut install = install_options(name, &given)?;
                install.replace |= removed;
                let release = run_install(actions, settings, &given, reference, &install).await?;
                return show(&release, &given, settings, out);
            }
        }
        super::flags::locate(reference)?;
        let values = values(&given, settings.compat)?;
        let chart = chart(reference, settings.compat)?;
        let release = actions
            .upgrade(chart, values, &options)
            .await
            .map_err(|error| said(format!("UPGRADE FAILED: {error}")))?;
        if form == Form::Table {
            writeln!(out, "Release {name:?} has been upgraded. Happy Helming!")?;
        }
        show(&release, &given, settings, out)
    })
}

fn reuse(given: &Parsed) -> Reuse {
    if given.is_set("reset-values") {
        Reuse::Reset
    } else if given.is_set("reuse-values") {
        Reuse::All
    } else if given.is_set("reset-then-reuse-values") {
        Reuse::ResetThenReuse
    } else {
        Reuse::IfNoneGiven
    }
}

pub(super) fn rollback(words: &[String], out: &mut dyn Write) -> Result<(), HelmError> {
    let given = parse(&[GLOBAL_FLAGS, UPGRADE_FLAGS], words)?;
    let words = at_least_one(&given, "rollback", "<RELEASE> [REVISION]")?;
    let version = match words.get(1) {
        Some(text) => text.parse().map_err(|_| {
            said(format!(
                "could not convert revision to a number: strconv.Atoi: parsing {text:?}: invalid syntax"
            ))
        })?,
        None => 0,
    };
    let options = Rollback {
        version,
        common: common(&given)?,
    };
    with_cluster(&given, async |actions, _| {
        with_log(actions).rollback(&words[0], &options).await?;
        Ok(out.write_all(b"Rollback was a success! Happy Helming!\n")?)
    })
}

const UNINSTALL_FLAGS: &[Flag] = &[
    Flag::new("dry-run", Takes::Bool),
    Flag::new("no-hooks", Takes::Bool),
    Flag::new("ignore-not-found", Takes::Bool),
    Flag::new("keep-history", Takes::Bool),
    Flag::new("cascade", Takes::One),
    Flag::new("timeout", Takes::One),
    Flag::new("description", Takes::One),
    Flag::new("wait", Takes::Optional("watcher")),
];

pub(super) fn uninstall(words: &[String], out: &mut dyn Write) -> Result<(), HelmError> {
    let given = parse(&[GLOBAL_FLAGS, UNINSTALL_FLAGS], words)?;
    let names = at_least_one(&given, "uninstall", "RELEASE_NAME [...]")?;
    let propagation = match given.get("cascade") {
        None | Some("background") => "Background",
        Some("foreground") => "Foreground",
        Some("orphan") => "Orphan",
        Some(other) => {
            return Err(said(format!(
                "invalid cascade value ({other}). Must be \"background\", \"foreground\", or \"orphan\""
            )));
        }
    };
    let mut options = Uninstall {
        disable_hooks: given.is_set("no-hooks"),
        dry_run: given.is_set("dry-run"),
        ignore_not_found: given.is_set("ignore-not-found"),
        keep_history: given.is_set("keep-history"),
        wait: match given.get("wait") {
            None | Some("hookOnly" | "false") => WaitStrategy::HookOnly,
            Some(_) => WaitStrategy::Watcher,
        },
        propagation,
        description: given.text("description"),
        ..Uninstall::default()
    };
    if let Some(timeout) = duration(&given, "timeout")? {
        options.timeout = timeout;
    }
    with_cluster(&given, async |actions, _| {
        let actions = with_log(actions);
        for name in names {
            if let Some(removed) = actions.uninstall(name, &options).await?
                && !removed.kept.is_empty()
            {
                writeln!(out, "{}", removed.kept)?;
            }
            writeln!(out, "release \"{name}\" uninstalled")?;
        }
        Ok(())
    })
}

const TEST_FLAGS: &[Flag] = &[
    Flag::new("timeout", Takes::One),
    Flag::new("logs", Takes::Bool),
    Flag::new("filter", Takes::List),
];

pub(super) fn test(words: &[String], out: &mut dyn Write) -> Result<(), HelmError> {
    let given = parse(&[GLOBAL_FLAGS, TEST_FLAGS], words)?;
    let name = &exactly(&given, "test", "[RELEASE]", 1)?[0];
    let mut options = Test::default();
    if let Some(timeout) = duration(&given, "timeout")? {
        options.timeout = timeout;
    }
    for filter in given.all("filter") {
        if let Some(included) = filter.strip_prefix("name=") {
            options.include.push(included.to_owned());
        } else if let Some(rest) = filter.strip_prefix('!')
            && let Some(excluded) = rest.strip_prefix(' ').unwrap_or(rest).strip_prefix("name=")
        {
            options.exclude.push(excluded.to_owned());
        }
    }
    with_cluster(&given, async |actions, settings| {
        let (release, ran) = with_log(actions).test(name, &options).await?;
        let shown = Shown {
            debug: given.is_set("debug"),
            hide_notes: true,
            hide_description: settings.compat.is_v3(),
            ..Shown::default()
        };
        print_release(&release, shown, out)?;
        Ok(ran?)
    })
}
