//! Why a phone is locked, in words for its user: short, without blame, with what to do. The operator reads causes and evidence instead.

use crate::vocabulary::{Cause, Posture};

/// A language of messages on the phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    Portuguese,
    Spanish,
}

impl Language {
    /// The first of `Accept-Language` that is spoken here, else English.
    pub(crate) fn of(accepted: Option<&str>) -> Self {
        let tags = accepted.unwrap_or_default().split(',').map(|tag| tag.trim().to_ascii_lowercase());
        tags.filter_map(|tag| match tag.get(..2)? {
            "en" => Some(Self::English),
            "pt" => Some(Self::Portuguese),
            "es" => Some(Self::Spanish),
            _ => None,
        })
        .next()
        .unwrap_or(Self::English)
    }

    fn pick(self, words: [&'static str; 3]) -> &'static str {
        words[self as usize]
    }
}

/// What the user of a phone reads that a kill switch stops.
pub(crate) fn for_stopped(language: Language) -> &'static str {
    language.pick([
        "Your security team stopped this phone for a while. Nothing is wrong with it that you could mend; wait, or ask them.",
        "A equipe de segurança parou este telefone por algum tempo. Não há nada nele que você possa corrigir; aguarde ou pergunte a ela.",
        "Su equipo de seguridad detuvo este teléfono por un tiempo. No hay nada en él que usted pueda corregir; espere o pregúntele.",
    ])
}

/// What the user of the phone reads.
pub(crate) fn for_user(language: Language, posture: Posture, cause: Option<Cause>) -> &'static str {
    match (posture, cause) {
        (Posture::Observe, _) => language.pick(["Everything is fine.", "Está tudo bem.", "Todo está bien."]),
        (Posture::StepUp | Posture::Restrict, _) => language.pick([
            "Please confirm that it is you.",
            "Confirme que é você.",
            "Confirme que es usted.",
        ]),
        (_, Some(Cause::RefreshReuse)) => language.pick([
            "A copy of this phone's sign-in was used elsewhere. The phone was locked to protect you; ask your security team to release it.",
            "Uma cópia do acesso deste telefone foi usada em outro lugar. O telefone foi bloqueado para protegê-lo; peça à equipe de segurança que o libere.",
            "Una copia del acceso de este teléfono se usó en otro lugar. Se bloqueó para protegerle; pida a su equipo de seguridad que lo libere.",
        ]),
        (_, Some(Cause::RepeatedFailures | Cause::AttestationReplay | Cause::AttestationFailed | Cause::AttestationStale | Cause::ChallengeFailed)) => {
            language.pick([
                "This phone could not prove that it is unchanged. Update it and ask your security team to release it.",
                "Este telefone não conseguiu provar que não foi alterado. Atualize-o e peça à equipe de segurança que o libere.",
                "Este teléfono no pudo demostrar que no ha sido alterado. Actualícelo y pida a su equipo de seguridad que lo libere.",
            ])
        }
        (_, Some(Cause::Operator)) => language.pick([
            "Your security team locked this phone. Ask them how to go on.",
            "A equipe de segurança bloqueou este telefone. Pergunte a ela como continuar.",
            "Su equipo de seguridad bloqueó este teléfono. Pregúntele cómo continuar.",
        ]),
        (_, _) => language.pick([
            "Something on this phone looks wrong. It was locked to protect you; ask your security team to release it.",
            "Algo neste telefone parece errado. Ele foi bloqueado para protegê-lo; peça à equipe de segurança que o libere.",
            "Algo en este teléfono no parece correcto. Se bloqueó para protegerle; pida a su equipo de seguridad que lo libere.",
        ]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_language_that_is_spoken_here_is_taken() {
        assert_eq!(Language::of(Some("de-DE, pt-BR;q=0.8, en")), Language::Portuguese);
        assert_eq!(Language::of(Some("é")), Language::English);
        assert_eq!(Language::of(None), Language::English);
    }
}
