//! Finds a saboteur by its name on the command line.

use fallproof_reference::saboteur::{self, Saboteur};
use fallproof_suite::yaml::nearest;

use super::Stop;

pub(super) fn find(name: &str) -> Result<&'static Saboteur, Stop> {
    saboteur::find(name).ok_or_else(|| {
        let hint = match nearest(name, saboteur::all().iter().map(|it| it.name)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`fallproof list saboteurs` shows them".to_owned(),
        };
        Stop::usage(format!("there is no saboteur named `{name}`; {hint}"))
    })
}
