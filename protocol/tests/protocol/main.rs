//! Property tests of the readers: what they get comes from a target or from a file.

mod checks;
mod coding;
mod http;
mod json;
mod multipart;
mod mutation;
mod sse;
