//! Streams of pyagent for Rust: an iterator of events, and the same for tokio. docs/hosts/rust.md explains it.
use serde_json::{json, Value};
use std::collections::{HashMap, VecDeque};
use std::task::{ready, Context, Poll};
use std::{ffi::c_char, ffi::CStr, os::fd::AsRawFd, path::Path, pin::Pin};
use tokio::net::unix::pipe;

/// Why a request failed: a kind of docs/errors.md, the status of HTTP or 0, and all that is known.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message} ({kind}, HTTP {status})")]
pub struct Error {
    pub kind: String,
    pub status: u16,
    pub message: String,
    pub details: Value,
}
impl Error {
    fn new(details: Value) -> Self {
        let word = |name: &str| details[name].as_str().unwrap_or_default().to_owned();
        let status = details["status_code"].as_u64().unwrap_or_default() as u16;
        Self { kind: word("kind"), status, message: word("message"), details }
    }
    fn internal(message: impl ToString) -> Self {
        Self::new(json!({"kind": "internal", "message": message.to_string()}))
    }
}

/// One event. `index` is that of the choice; of a tool frame that of the tool call.
#[derive(Clone, Debug)]
pub enum Event {
    Text { text: String, index: u16 },
    Reasoning { text: String, index: u16 },
    ToolCall(Value), // a whole one: id, name, arguments (a string)
    Finish(Value),
    Other { kind: u8, data: Value, index: u16 }, // another frame: what docs/abi.md says, text as a string
}

macro_rules! api {
    ($($name:ident($($argument:ty),*) -> $result:ty;)*) => {
        #[derive(Clone, Copy)]
        struct Api { $($name: unsafe extern "C" fn($($argument),*) -> $result,)* }
        impl Api {
            unsafe fn find(library: &libloading::Library) -> Result<Self, libloading::Error> {
                Ok(Self { $($name: *library.get(concat!("pyagent_", stringify!($name)).as_bytes())?,)* })
            }
        }
    };
}
api! {
    abi_version() -> u32; status_name(i32) -> *const c_char; cancel(u64) -> i32; close(u64) -> i32;
    client_open(*const u8, usize, *mut u64) -> i32; inbox_open(u64, isize, *mut u64) -> i32;
    submit(u64, u64, *const u8, usize, *mut u64) -> i32; poll(u64, *mut u8, usize, i32, *mut usize) -> i32;
}

struct Handle(Api, u64);
impl Handle {
    fn open(api: Api, function: impl FnOnce(*mut u64) -> i32) -> Result<Self, Error> {
        let mut handle = Self(api, 0);
        let status = function(&mut handle.1);
        (status == 0).then_some(handle).ok_or_else(|| failed(api, status))
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        unsafe { (self.0.close)(self.1) };
    }
}
fn failed(api: Api, status: i32) -> Error {
    Error::internal(unsafe { CStr::from_ptr((api.status_name)(status)) }.to_string_lossy())
}

/// A vendor's address, a key, settings. Any number of threads and tasks may ask it.
pub struct Client(Handle);
impl Client {
    /// Loads the library at `path` for good, with all signals blocked, so that its threads leave them to yours.
    pub fn open(path: impl AsRef<Path>, config: &Value) -> Result<Self, Error> {
        let library = unsafe {
            let (mut all, mut before) = std::mem::zeroed::<(libc::sigset_t, libc::sigset_t)>();
            libc::sigfillset(&mut all);
            libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut before);
            let loaded = libloading::Library::new(path.as_ref());
            libc::pthread_sigmask(libc::SIG_SETMASK, &before, std::ptr::null_mut());
            Box::leak(Box::new(loaded.map_err(Error::internal)?))
        };
        let (api, config) = (unsafe { Api::find(library) }.map_err(Error::internal)?, config.to_string());
        (unsafe { (api.abi_version)() } == 1).then_some(()).ok_or_else(|| Error::internal("another ABI version"))?;
        Handle::open(api, |to| unsafe { (api.client_open)(config.as_ptr(), config.len(), to) }).map(Self)
    }
    /// Starts a request; its op is "stream" unless it names one.
    pub fn stream(&self, request: Value) -> Result<Stream, Error> {
        self.submit(0, request).map(|call| Stream(Reader::new(call)))
    }
    /// The same for tokio, in whose runtime it is called.
    pub fn stream_async(&self, request: Value) -> Result<AsyncStream, Error> {
        let (Handle(api, client), (sender, wake)) = (&self.0, pipe::pipe().map_err(Error::internal)?);
        let inbox = Handle::open(*api, |to| unsafe { (api.inbox_open)(*client, sender.as_raw_fd() as isize, to) })?;
        std::mem::forget(self.submit(inbox.1, request)?); // the inbox closes it
        Ok(AsyncStream(Reader::new(inbox), wake, sender))
    }
    fn submit(&self, inbox: u64, mut request: Value) -> Result<Handle, Error> {
        request.as_object_mut().map(|fields| fields.entry("op").or_insert("stream".into()));
        let (Handle(api, client), text) = (&self.0, request.to_string());
        Handle::open(*api, |to| unsafe { (api.submit)(*client, inbox, text.as_ptr(), text.len(), to) })
    }
}

/// Makes events of the frames of a call, or of an inbox with one call.
struct Reader {
    polled: Handle,
    buffer: Vec<u8>,
    events: VecDeque<Result<Event, Error>>,
    calls: HashMap<u16, (Value, String)>,
    over: bool,
}
impl Reader {
    fn new(polled: Handle) -> Self {
        Self { polled, buffer: vec![0; 32 * 1024], events: VecDeque::new(), calls: HashMap::new(), over: false }
    }
    fn next(&mut self, timeout: i32) -> Poll<Option<Result<Event, Error>>> {
        while self.events.is_empty() && !self.over {
            let (Handle(api, number), buffer, mut used) = (&self.polled, &mut self.buffer, 0);
            match unsafe { (api.poll)(*number, buffer.as_mut_ptr(), buffer.len(), timeout, &mut used) } {
                0 => self.split(used),
                1 => return Poll::Pending,    // PYAGENT_TIMEOUT
                -4 => buffer.resize(used, 0), // PYAGENT_TOO_SMALL
                status => (self.over, self.events) = (true, [Err(failed(*api, status))].into()),
            }
        }
        Poll::Ready(self.events.pop_front())
    }
    fn split(&mut self, used: usize) {
        let mut rest = &self.buffer[..used];
        while let [a, b, c, d, kind, flags, e, f, ..] = *rest {
            let (size, index) = (u32::from_le_bytes([a, b, c, d]) as usize, u16::from_le_bytes([e, f]));
            let (payload, behind) = rest[16..].split_at(size);
            for piece in payload.split(|byte| flags & 1 == 1 && *byte == 0) {
                self.events.push_back(event(&mut self.calls, kind, index, piece));
            }
            (rest, self.over) = (behind, kind >= 64);
        }
    }
}

fn event(calls: &mut HashMap<u16, (Value, String)>, kind: u8, index: u16, payload: &[u8]) -> Result<Event, Error> {
    let text = || String::from_utf8_lossy(payload).into_owned();
    let data: Value = match kind {
        1 => return Ok(Event::Text { text: text(), index }),
        2 => return Ok(Event::Reasoning { text: text(), index }),
        ..16 => text().into(),
        32 => payload.chunks(4).map(|number| f32::from_le_bytes(number.try_into().unwrap())).collect(),
        _ => serde_json::from_slice(payload).map_err(Error::internal)?,
    };
    match kind {
        4 => calls.entry(index).or_default().1.push_str(&text()),
        17 => _ = calls.insert(index, (data.clone(), String::new())),
        18 => {
            let (mut call, arguments) = calls.remove(&index).unwrap_or_default();
            call["arguments"] = arguments.into();
            return Ok(Event::ToolCall(call));
        }
        64 => return Ok(Event::Finish(data)),
        66 => return Err(Error::new(data)),
        _ => {}
    }
    Ok(Event::Other { kind, data, index })
}

/// The answer to one request: whole at its end, or ended by one error. Dropping it closes the connection at once.
pub struct Stream(Reader);
impl Stream {
    /// What ends the stream from any thread: its reader gets an error of the kind "cancelled".
    pub fn canceller(&self) -> impl Fn() + Clone + Send + 'static {
        let Handle(api, call) = self.0.polled;
        move || _ = unsafe { (api.cancel)(call) }
    }
}

impl Iterator for Stream {
    type Item = Result<Event, Error>;
    fn next(&mut self) -> Option<Self::Item> {
        let Poll::Ready(item) = self.0.next(-1) else { unreachable!("there is no timeout") };
        item
    }
}

/// A `Stream` for tokio. Its fields are dropped in this order: the inbox before the pipe that it writes to.
pub struct AsyncStream(Reader, pipe::Receiver, #[allow(dead_code)] pipe::Sender);
impl futures_core::Stream for AsyncStream {
    type Item = Result<Event, Error>;
    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context) -> Poll<Option<Self::Item>> {
        let mut item = self.0.next(0);
        while item.is_pending() {
            ready!(self.1.poll_read_ready(context)).map_err(Error::internal)?; // a byte comes when frames do
            _ = self.1.try_read(&mut [0; 64]);
            item = self.0.next(0);
        }
        item
    }
}
