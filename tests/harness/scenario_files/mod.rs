//! What scenario files mean, and what is refused in them.

mod families;
mod meaning;
mod placeholders;
mod refused;
mod schema;
mod shapes;
mod support;
