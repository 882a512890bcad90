//! Markers: a token in each mock answer that tells whose words the client got.
