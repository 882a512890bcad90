//! The brain: decides what an upstream answers.
