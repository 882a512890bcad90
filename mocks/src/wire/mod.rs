//! The wire: the cable in front of the brain.
