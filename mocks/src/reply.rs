//! Success replies, shaped by the request.
