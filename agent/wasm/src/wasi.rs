//! The harmless answers to what the standard library of a component's language asks of WASI 0.2.
//!
//! An empty environment, no arguments, no folders, an input that has ended, an output that is the log, a
//! clock that stands at the observation's time, and always the same randomness. Everything else ends the
//! call, by [`Linker::define_unknown_imports_as_traps`].

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{
    Component, ComponentType, Lift, Linker, LinkerInstance, Lower, Resource, ResourceType,
};
use wasmtime::{Result, StoreContextMut};

use crate::bounds::RANDOM_BYTES_MAX;
use crate::engine::Engine;
use crate::fault::Fault;
use crate::host::{Broken, Call};

enum Input {}
enum Output {}
enum Pollable {}
enum IoError {}
enum TerminalInput {}
enum TerminalOutput {}
enum Descriptor {}

/// `wasi:io/streams.stream-error`.
#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum StreamError {
    #[component(name = "last-operation-failed")]
    LastOperationFailed(Resource<IoError>),
    #[component(name = "closed")]
    Closed,
}

/// `wasi:clocks/wall-clock.datetime`.
#[derive(ComponentType, Lift, Lower)]
#[component(record)]
struct Datetime {
    seconds: u64,
    nanoseconds: u32,
}

type Streamed<T> = std::result::Result<T, StreamError>;
type Cx<'a> = StoreContextMut<'a, Call>;

/// Bytes that an output takes at once.
const OUTPUT_BYTES: u64 = 4096;

/// Answers those imports of `component` that have an answer.
pub(crate) fn answer(
    linker: &mut Linker<Call>,
    engine: &Engine,
    component: &Component,
) -> Result<()> {
    let engine = engine.inner();
    for (name, item) in component.component_type().imports(engine) {
        let interface = name
            .strip_prefix("wasi:")
            .and_then(|rest| rest.split_once("@0.2."))
            .map(|(interface, _)| interface);
        // Under the name by which it is imported, version and all.
        if let (Some(interface), ComponentItem::ComponentInstance(instance)) = (interface, &item.ty)
        {
            let mut at = linker.instance(name)?;
            for (name, item) in instance.exports(engine) {
                if matches!(item.ty, ComponentItem::Resource(_)) {
                    resource(&mut at, name)?;
                }
            }
            define(&mut at, interface)?;
        }
    }
    Ok(())
}

fn define(at: &mut LinkerInstance<'_, Call>, interface: &str) -> Result<()> {
    match interface {
        "cli/environment" => {
            at.func_wrap("get-environment", |_: Cx, ()| {
                Ok((Vec::<(String, String)>::new(),))
            })?;
            at.func_wrap("get-arguments", |_: Cx, ()| Ok((Vec::<String>::new(),)))?;
            at.func_wrap("initial-cwd", |_: Cx, ()| Ok((None::<String>,)))
        }
        "cli/exit" => at.func_wrap(
            "exit",
            |_: Cx, (_status,): (std::result::Result<(), ()>,)| -> Result<()> {
                Err(Broken(Fault::Exit).into())
            },
        ),
        "cli/stdin" => handle::<Input>(at, "get-stdin"),
        "cli/stdout" => handle::<Output>(at, "get-stdout"),
        "cli/stderr" => handle::<Output>(at, "get-stderr"),
        "cli/terminal-stdin" => no_terminal::<TerminalInput>(at, "get-terminal-stdin"),
        "cli/terminal-stdout" => no_terminal::<TerminalOutput>(at, "get-terminal-stdout"),
        "cli/terminal-stderr" => no_terminal::<TerminalOutput>(at, "get-terminal-stderr"),
        "clocks/wall-clock" => clock(at),
        "clocks/monotonic-clock" => {
            at.func_wrap("now", |_: Cx, ()| Ok((0_u64,)))?;
            at.func_wrap("resolution", |_: Cx, ()| Ok((1_u64,)))
        }
        "filesystem/preopens" => at.func_wrap("get-directories", |_: Cx, ()| {
            Ok((Vec::<(Resource<Descriptor>, String)>::new(),))
        }),
        "io/poll" => poll(at),
        "io/streams" => streams(at),
        "random/random" => random(at, "get-random-bytes", "get-random-u64"),
        "random/insecure" => random(at, "get-insecure-random-bytes", "get-insecure-random-u64"),
        "random/insecure-seed" => at.func_wrap("insecure-seed", |mut cx: Cx, ()| {
            let call = cx.data_mut();
            Ok(((call.number(), call.number()),))
        }),
        _ => Ok(()),
    }
}

/// A type of handles, wherever it is named: interfaces name the types of others that they use.
fn resource(at: &mut LinkerInstance<'_, Call>, name: &str) -> Result<()> {
    let handles = match name {
        "input-stream" => ResourceType::host::<Input>(),
        "output-stream" => ResourceType::host::<Output>(),
        "pollable" => ResourceType::host::<Pollable>(),
        "error" => ResourceType::host::<IoError>(),
        "terminal-input" => ResourceType::host::<TerminalInput>(),
        "terminal-output" => ResourceType::host::<TerminalOutput>(),
        "descriptor" => ResourceType::host::<Descriptor>(),
        // Nobody ever gets one.
        _ => ResourceType::host::<()>(),
    };
    at.resource(name, handles, |_, _| Ok(()))
}

/// A function that gives out a handle. All handles of a type are alike, so all are number 0.
fn handle<T: 'static>(at: &mut LinkerInstance<'_, Call>, name: &str) -> Result<()> {
    at.func_wrap(name, |mut cx: Cx, ()| {
        cx.data_mut().handle()?;
        Ok((Resource::<T>::new_own(0),))
    })
}

fn no_terminal<T: 'static>(at: &mut LinkerInstance<'_, Call>, name: &str) -> Result<()> {
    at.func_wrap(name, |_: Cx, ()| Ok((None::<Resource<T>>,)))
}

fn clock(at: &mut LinkerInstance<'_, Call>) -> Result<()> {
    at.func_wrap("now", |cx: Cx, ()| {
        let seconds = u64::try_from(cx.data().clock).unwrap_or(0);
        let now = Datetime {
            seconds,
            nanoseconds: 0,
        };
        Ok((now,))
    })?;
    at.func_wrap("resolution", |_: Cx, ()| {
        let second = Datetime {
            seconds: 1,
            nanoseconds: 0,
        };
        Ok((second,))
    })
}

fn poll(at: &mut LinkerInstance<'_, Call>) -> Result<()> {
    // Nothing here waits, so that everything is ready.
    at.func_wrap(
        "[method]pollable.ready",
        |_: Cx, (_,): (Resource<Pollable>,)| Ok((true,)),
    )?;
    at.func_wrap(
        "[method]pollable.block",
        |_: Cx, (_,): (Resource<Pollable>,)| Ok(()),
    )
}

fn streams(at: &mut LinkerInstance<'_, Call>) -> Result<()> {
    for name in [
        "[method]input-stream.read",
        "[method]input-stream.blocking-read",
    ] {
        at.func_wrap(name, |_: Cx, (_, _): (Resource<Input>, u64)| {
            Ok((Streamed::<Vec<u8>>::Err(StreamError::Closed),))
        })?;
    }
    at.func_wrap(
        "[method]output-stream.check-write",
        |_: Cx, (_,): (Resource<Output>,)| Ok((Streamed::Ok(OUTPUT_BYTES),)),
    )?;
    for name in [
        "[method]output-stream.write",
        "[method]output-stream.blocking-write-and-flush",
    ] {
        at.func_wrap(
            name,
            |mut cx: Cx, (_, bytes): (Resource<Output>, Vec<u8>)| {
                cx.data_mut().print(&bytes);
                Ok((Streamed::Ok(()),))
            },
        )?;
    }
    for name in [
        "[method]output-stream.flush",
        "[method]output-stream.blocking-flush",
    ] {
        at.func_wrap(name, |_: Cx, (_,): (Resource<Output>,)| {
            Ok((Streamed::Ok(()),))
        })?;
    }
    at.func_wrap(
        "[method]output-stream.subscribe",
        |mut cx: Cx, (_,): (Resource<Output>,)| {
            cx.data_mut().handle()?;
            Ok((Resource::<Pollable>::new_own(0),))
        },
    )
}

fn random(at: &mut LinkerInstance<'_, Call>, bytes: &str, number: &str) -> Result<()> {
    at.func_wrap(bytes, |mut cx: Cx, (length,): (u64,)| {
        if length > RANDOM_BYTES_MAX {
            let asked = "for a great many random bytes".to_owned();
            return Err(Broken(Fault::Forbidden(asked)).into());
        }
        let call = cx.data_mut();
        let bytes = (0..length).map(|_| call.number().to_le_bytes()[0]);
        Ok((bytes.collect::<Vec<u8>>(),))
    })?;
    at.func_wrap(number, |mut cx: Cx, ()| Ok((cx.data_mut().number(),)))
}
