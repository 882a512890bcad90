//! The hostile target: a server that plays one behavior.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, BufRead as _, BufReader, Read as _, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Deserialize;

use crate::behavior::{Action, Attempt, Behavior};

/// Size of each write of a text that is sent again and again.
const WRITE: usize = 64 * 1024;

/// The output of `fallproof plan --json`, as far as a target needs it.
#[derive(Debug, Deserialize)]
pub(crate) struct Plan {
    groups: Vec<Group>,
}

#[derive(Debug, Clone, Deserialize)]
struct Group {
    model: String,
    chain: Vec<Deployment>,
}

#[derive(Debug, Clone, Deserialize)]
struct Deployment {
    provider: String,
    #[serde(rename = "deployment_name")]
    name: String,
    base_url: String,
    key: String,
}

impl Plan {
    /// The keys of all deployments.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().flat_map(|group| &group.chain).map(|deployment| deployment.key.as_str())
    }
}

/// Plays the behavior until the process ends. Returns the address.
pub(crate) fn start(behavior: Behavior, plan: &Plan) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let addr = listener.local_addr().expect("it is bound");
    let groups = plan.groups.iter().map(|group| (group.model.clone(), group.chain.clone()));
    let groups: Arc<HashMap<_, _>> = Arc::new(groups.collect());
    let stops = Arc::new(AtomicBool::new(false));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if stops.load(Ordering::Relaxed) {
                return;
            }
            let (behavior, groups, stops) = (behavior.clone(), groups.clone(), stops.clone());
            thread::spawn(move || serve(stream, &behavior, &groups, &stops));
        }
    });
    addr
}

/// A call of the client.
struct Call {
    path: String,
    key: String,
    body: String,
    chain: Vec<Deployment>,
    group: String,
}

/// Any error means that the peer has left, which ends the behavior.
fn serve(
    stream: TcpStream,
    behavior: &Behavior,
    groups: &HashMap<String, Vec<Deployment>>,
    stops: &AtomicBool,
) {
    let Ok(Some(call)) = read(&stream, groups) else { return };
    let is_preflight = call.body.contains("A plain call for");
    let relay = [Action::Relay];
    let as_usual = is_preflight && !behavior.in_preflight;
    let actions = if as_usual { &relay[..] } else { &behavior.actions };
    let mut piled = Vec::new();
    let played = actions.iter().try_for_each(|it| play(it, &call, &stream, &mut piled, stops));
    drop(stream);
    if played.is_ok() && !as_usual {
        let mut nobody = io::sink();
        for action in &behavior.afterwards {
            if let Action::Attempt(attempt) = action {
                let _ = attempts(attempt, &call, &mut piled);
            } else {
                let _ = write_action(action, &call, &mut nobody);
            }
        }
    }
}

/// Reads a call; `None` if the client leaves without one.
fn read(stream: &TcpStream, groups: &HashMap<String, Vec<Deployment>>) -> io::Result<Option<Call>> {
    let mut reader = BufReader::new(stream);
    let (mut first, mut length, mut key) = (String::new(), 0, String::new());
    reader.read_line(&mut first)?;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        match name {
            "content-length" => length = value.parse().unwrap_or(0),
            "authorization" => value.trim_start_matches("Bearer ").clone_into(&mut key),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let body = String::from_utf8_lossy(&body).into_owned();
    let model: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
    let group = model["model"].as_str().unwrap_or_default().to_owned();
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let chain = groups.get(&group).cloned().unwrap_or_default();
    Ok(Some(Call { path, key, body, chain, group }))
}

fn play(
    action: &Action,
    call: &Call,
    mut stream: &TcpStream,
    piled: &mut Vec<TcpStream>,
    stops: &AtomicBool,
) -> io::Result<()> {
    match action {
        Action::Hold => {
            let _ = stream.read(&mut [0]);
        }
        Action::Relay => {
            let Some(deployment) = call.chain.first() else { return Ok(()) };
            let mut attempt = send(&Attempt::default(), call, deployment)?;
            io::copy(&mut attempt, &mut stream)?;
        }
        Action::Attempt(attempt) => attempts(attempt, call, piled)?,
        Action::StopListening => {
            stops.store(true, Ordering::Relaxed);
            // Wakes up the listener.
            drop(TcpStream::connect(stream.local_addr()?));
        }
        other => write_action(other, call, &mut stream)?,
    }
    Ok(())
}

/// What a behavior writes to its client.
fn write_action(action: &Action, call: &Call, to: &mut impl Write) -> io::Result<()> {
    match action {
        Action::Send(text) => to.write_all(call.filled(text).as_bytes()),
        Action::Repeat(repeat) => {
            let text = call.filled(&repeat.text);
            let at_once = (WRITE / text.len()).max(1) as u64;
            let much = text.repeat(usize::try_from(at_once).unwrap_or(1));
            let mut left = repeat.count.unwrap_or(u64::MAX);
            while left > 0 {
                let now = left.min(at_once);
                let length = text.len() * usize::try_from(now).unwrap_or(1);
                to.write_all(&much.as_bytes()[..length])?;
                left -= now;
            }
            Ok(())
        }
        Action::Count(count) => {
            let mut text = String::new();
            for n in 0..count.to {
                text += &count.text.replace("{n}", &n.to_string());
                if text.len() > WRITE {
                    to.write_all(text.as_bytes())?;
                    text.clear();
                }
            }
            to.write_all(text.as_bytes())
        }
        Action::Drip(drip) => loop {
            for byte in drip.text.bytes() {
                to.write_all(&[byte])?;
                thread::sleep(Duration::from_millis(drip.every_ms));
            }
        },
        Action::GzipBomb(megabytes) => to.write_all(&gzip_bomb(*megabytes)?),
        Action::Noise(bytes) => to.write_all(noise(*bytes).as_bytes()),
        Action::Wait(ms) => {
            thread::sleep(Duration::from_millis(*ms));
            Ok(())
        }
        Action::Hold | Action::Relay | Action::Attempt(_) | Action::StopListening => Ok(()),
    }
}

fn gzip_bomb(megabytes: usize) -> io::Result<Vec<u8>> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    let megabyte = vec![b' '; 1 << 20];
    for _ in 0..megabytes {
        packed.write_all(&megabyte)?;
    }
    packed.finish()
}

/// Letters and digits in an order without a pattern.
fn noise(bytes: usize) -> String {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % 64).unwrap_or(0)
    };
    let letters = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
    (0..bytes).map(|_| char::from(letters[next()])).collect()
}

fn attempts(attempt: &Attempt, call: &Call, piled: &mut Vec<TcpStream>) -> io::Result<()> {
    let called = if attempt.all { call.chain.len() } else { 1 };
    let count = match attempt.count {
        Some(0) => u64::MAX,
        count => count.unwrap_or(1),
    };
    for _ in 0..count {
        for deployment in call.chain.iter().take(called) {
            let mut stream = send(attempt, call, deployment)?;
            if attempt.piled {
                piled.push(stream);
            } else if !attempt.leaves {
                // A deployment may close before it has read everything.
                let _ = io::copy(&mut stream, &mut io::sink());
            }
        }
    }
    Ok(())
}

/// Sends an attempt. Returns the connection, on which the answer arrives.
fn send(attempt: &Attempt, call: &Call, deployment: &Deployment) -> io::Result<TcpStream> {
    let url = deployment.base_url.trim_start_matches("http://");
    let (authority, path) = url.split_once('/').unwrap_or((url, ""));
    let endpoint = call.path.split_once("/v1/").map_or("", |(_, endpoint)| endpoint);
    let key = match deployment.provider.as_str() {
        "azure" => format!("api-key: {}", deployment.key),
        _ => format!("authorization: Bearer {}", deployment.key),
    };
    let mut head = format!(
        "POST /{path}/{endpoint} HTTP/1.1\r\nhost: {authority}\r\n{key}\r\nconnection: close\r\n\
         content-type: application/json\r\n{}",
        call.filled(&attempt.headers),
    );
    let mut stream = TcpStream::connect(authority)?;
    if let Some(instead) = &attempt.instead {
        stream.write_all(head.as_bytes())?;
        stream.write_all(call.filled(instead).as_bytes())?;
    } else {
        let body = match attempt.gzip_bomb {
            0 => attempt.body(call, deployment).into_bytes(),
            megabytes => {
                head += "content-encoding: gzip\r\n";
                gzip_bomb(megabytes)?
            }
        };
        let _ = write!(head, "content-length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes())?;
        // A deployment refuses a body that is too long before it has read it.
        let _ = stream.write_all(&body);
    }
    if let Some(endless) = &attempt.endless {
        let much = endless.repeat((WRITE / endless.len()).max(1));
        while stream.write_all(much.as_bytes()).is_ok() {}
    }
    Ok(stream)
}

impl Attempt {
    /// The client's body for this deployment, with what is added to it.
    fn body(&self, call: &Call, deployment: &Deployment) -> String {
        let model = |name: &str| format!(r#""model":"{name}""#);
        let mut body = call.body.replace(&model(&call.group), &model(&deployment.name));
        if self.bytes + self.noise + self.members + self.depth > 0 {
            body.truncate(body.rfind('}').unwrap_or(0));
            if self.bytes > 0 {
                let _ = write!(body, r#","x":"{}""#, "x".repeat(self.bytes));
            }
            if self.noise > 0 {
                let _ = write!(body, r#","n":"{}""#, noise(self.noise));
            }
            if self.depth > 0 {
                let _ =
                    write!(body, r#","d":{}{}"#, "[".repeat(self.depth), "]".repeat(self.depth));
            }
            for n in 0..self.members {
                let _ = write!(body, r#","m{n}":0"#);
            }
            body.push('}');
        }
        body
    }
}

impl Call {
    fn filled(&self, text: &str) -> String {
        let key = self.chain.first().map_or("", |deployment| deployment.key.as_str());
        text.replace("{key}", &self.key).replace("{deployment_key}", key)
    }
}
