#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, strum::IntoStaticStr,
)]
#[strum(serialize_all = "kebab-case")]
pub enum Effect {
    NoFallback,
    TooManyAttempts,
    WrongOrder,
    FalseSuccess,
}
impl Effect {
    pub(crate) fn name(self) -> &'static str {
        self.into()
    }
}
