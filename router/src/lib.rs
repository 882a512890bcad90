//! A small correct LLM gateway.
