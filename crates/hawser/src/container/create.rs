//! `hawser create`, and the part of `run` that makes the container.

use std::fs;
use std::io::Write;
use std::path::Path;

use clap::Args;
use http::Method;
use serde_json::Value;

use super::options::{ContainerOptions, CreateOptions};
use super::spec::Spec;
use crate::client::{self, Query};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::image::pull;
use crate::image::screen::Stream;
use crate::output;
use crate::parse::{Invalid, reference};

/// Flags of `create`.
#[derive(Args)]
pub struct CreateArgs {
    #[command(flatten)]
    create: CreateOptions,
    #[command(flatten)]
    container: ContainerOptions,
}

/// Why there is no container.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The flags make no sense.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The engine does not want to.
    #[error(transparent)]
    Client(#[from] client::Error),
    /// The image cannot be pulled.
    #[error("{0}")]
    Pull(String),
}

/// `hawser create`.
pub async fn run(context: &Context, args: CreateArgs) -> Outcome {
    let spec = Spec::new(&args.container).map_err(|error| context.refused(&error.to_string()))?;
    if args.create.dry_run {
        return preview(context, &args.create, &spec).await;
    }
    let cidfile = &args.container.process.cidfile;
    match create(context, &args.create, cidfile, &spec).await {
        Ok(id) => output::println(&id),
        Err(CreateError::Client(error)) => return Err(error.into()),
        Err(CreateError::Pull(message)) => return Err(Failure::new(message)),
        Err(error) => return Err(context.refused(&error.to_string())),
    }
    Ok(())
}

/// Prints what would change on the host if the container were made and started.
pub async fn preview(context: &Context, options: &CreateOptions, spec: &Spec) -> Outcome {
    check(options, spec).map_err(|error| context.refused(&error.to_string()))?;
    let (query, body) = request(context, options, spec).await?;
    let plan = context.client.own(Method::POST, "/containers/plan", &query, Some(&body));
    output::commands(&plan.await?);
    Ok(())
}

/// Makes the container, pulling its image if need be; returns the container's id.
pub async fn create(
    context: &Context,
    options: &CreateOptions,
    cidfile: &str,
    spec: &Spec,
) -> Result<String, CreateError> {
    check(options, spec)?;
    let file = CidFile::new(cidfile)?;
    if options.pull == "always" {
        pull(context, options, spec.image()).await?;
    }
    let created = match post(context, options, spec).await {
        Err(error)
            if error.is_not_found() && is_about_image(&error) && options.pull == "missing" =>
        {
            if !options.quiet {
                let image = reference::familiar(spec.image());
                output::complain(&format!("Unable to find image '{image}' locally"));
            }
            pull(context, options, spec.image()).await?;
            post(context, options, spec).await?
        }
        created => created?,
    };
    for warning in created["Warnings"].as_array().into_iter().flatten() {
        output::complain(&format!("WARNING: {}", warning.as_str().unwrap_or_default()));
    }
    let id = created["Id"].as_str().unwrap_or_default().to_owned();
    file.write(&id)?;
    Ok(id)
}

fn check(options: &CreateOptions, spec: &Spec) -> Result<(), Invalid> {
    if !matches!(options.pull.as_str(), "always" | "missing" | "never") {
        return Err(Invalid(format!(
            "invalid pull option: '{}': must be one of \"always\", \"missing\" or \"never\"",
            options.pull
        )));
    }
    let image = spec.image();
    // An id is no reference; the engine finds what it means.
    let is_id = image.strip_prefix("sha256:").unwrap_or(image).len() == 64;
    if is_id { Ok(()) } else { reference::check(image) }
}

/// A container that is asked for in vain must not be mistaken for its image.
fn is_about_image(error: &client::Error) -> bool {
    let message = error.to_string().to_lowercase();
    message.contains("no such image") || message.contains("image not found")
}

async fn post(
    context: &Context,
    options: &CreateOptions,
    spec: &Spec,
) -> Result<Value, client::Error> {
    let (query, body) = request(context, options, spec).await?;
    context.client.post("/containers/create", &query, Some(&body)).await
}

async fn request(
    context: &Context,
    options: &CreateOptions,
    spec: &Spec,
) -> Result<(Query, Value), client::Error> {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let query =
        Query::new().maybe("name", some(&options.name)).maybe("platform", some(&options.platform));
    let mut body = spec.body();
    // From 1.44 on the MAC address belongs to the endpoint.
    let old = version_before_1_44(context.client.version().await?);
    if let Some(config) = body.as_object_mut().filter(|_| !old) {
        config.remove("MacAddress");
    }
    Ok((query, body))
}

fn version_before_1_44(version: &str) -> bool {
    let minor = version.strip_prefix("1.").and_then(|minor| minor.parse::<u32>().ok());
    minor.is_some_and(|minor| minor < 44)
}

/// Pulls, drawing on the standard error: the output is the container's.
async fn pull(context: &Context, options: &CreateOptions, image: &str) -> Result<(), CreateError> {
    let stream = (!options.quiet).then_some(Stream::Err);
    let image = reference::familiar(image);
    pull::pull(context, &image, Some(&options.platform), stream)
        .await
        .map_err(|failure| CreateError::Pull(failure.message))
}

/// The file of `--cidfile`: made before the container, gone again if that comes to nothing.
struct CidFile {
    path: String,
    written: bool,
}

impl CidFile {
    fn new(path: &str) -> Result<Self, Invalid> {
        if !path.is_empty() && Path::new(path).exists() {
            return Err(Invalid(format!(
                "container ID file found, make sure the other container isn't running or delete {path}"
            )));
        }
        let file = Self { path: path.to_owned(), written: false };
        if !path.is_empty() {
            fs::File::create_new(path).map_err(|error| file.failed(&error))?;
        }
        Ok(file)
    }

    fn failed(&self, error: &std::io::Error) -> Invalid {
        Invalid(format!("failed to create the container ID file: {}: {error}", self.path))
    }

    fn write(mut self, id: &str) -> Result<(), Invalid> {
        if self.path.is_empty() {
            return Ok(());
        }
        fs::File::create(&self.path)
            .and_then(|mut file| file.write_all(id.as_bytes()))
            .map_err(|error| self.failed(&error))?;
        self.written = true;
        Ok(())
    }
}

impl Drop for CidFile {
    fn drop(&mut self) {
        if !self.path.is_empty() && !self.written {
            // Somebody else may have removed it: all the better.
            let _ = fs::remove_file(&self.path);
        }
    }
}
