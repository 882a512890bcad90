//! Rebuilds a release when the embedded suite has changed. Development builds read the suite from
//! its folder, so a new scenario needs no rebuild.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        println!("cargo:rerun-if-changed=.");
    }
}
