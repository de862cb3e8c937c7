//! Every sentence of the pages for people who sign in, once per language.

/// The sentences. Those that come in pairs are a title and what it means.
pub struct Sentences {
    /// The way in, and the title of its page.
    pub sign_in: &'static str,
    /// Over the providers.
    pub ways: &'static str,
    /// A provider's button; its name follows.
    pub sign_in_at: &'static str,
    /// Over the invented people.
    pub invented: &'static str,
    /// Before the name of who is signed in.
    pub signed_in_as: &'static str,
    /// Who has no name.
    pub nameless: &'static str,
    /// The heading over the notebooks.
    pub notebooks: &'static str,
    /// Without any.
    pub no_notebook: &'static str,
    /// The page of sessions.
    pub sessions: &'static str,
    /// What it lists.
    pub sessions_explained: &'static str,
    /// Before the moment at which one began.
    pub since: &'static str,
    /// The one that asks.
    pub this_session: &'static str,
    /// Ends another.
    pub end_session: &'static str,
    /// The way out.
    pub sign_out: &'static str,
    /// The way out of all browsers.
    pub sign_out_everywhere: &'static str,
    /// The title once one is out.
    pub signed_out: &'static str,
    /// What it means.
    pub signed_out_explained: &'static str,
    /// Before the name of a provider at which one is still signed in.
    pub still_signed_in_at: &'static str,
    /// The way out there; its name follows.
    pub sign_out_at: &'static str,
    /// The way back in.
    pub sign_in_again: &'static str,
    /// One said no at the provider.
    pub denied: [&'static str; 2],
    /// The provider does not answer.
    pub provider_away: [&'static str; 2],
    /// The provider signed nobody in.
    pub failed: [&'static str; 2],
    /// One showed less surely who one is than is asked.
    pub level: [&'static str; 2],
    /// Nobody here is known by what the provider says.
    pub nobody: [&'static str; 2],
    /// The attempt is too old, or was answered already.
    pub expired: [&'static str; 2],
    /// The answer is to another attempt.
    pub other_attempt: [&'static str; 2],
    /// A page of somebody else may have sent it.
    pub forged: [&'static str; 2],
    /// The server cannot tell who one is now.
    pub away: [&'static str; 2],
}

pub(super) const FRENCH: Sentences = Sentences {
    sign_in: "Se connecter",
    ways: "Choisissez comment vous vous identifiez :",
    sign_in_at: "Se connecter avec",
    invented: "Ceci est une démonstration. Choisissez qui vous êtes, parmi ces personnes inventées :",
    signed_in_as: "Vous êtes",
    nameless: "une personne sans nom",
    notebooks: "Vos cahiers",
    no_notebook: "Vous n’êtes dans le cercle de personne pour l’instant. C’est à la personne accompagnée, à son médecin \
                  traitant ou à la structure responsable de vous y inscrire.",
    sessions: "Vos connexions",
    sessions_explained: "Les navigateurs où vous êtes connecté. Si vous n’en reconnaissez pas un, déconnectez-le.",
    since: "depuis le",
    this_session: "Ce navigateur-ci",
    end_session: "Déconnecter",
    sign_out: "Se déconnecter",
    sign_out_everywhere: "Se déconnecter partout",
    signed_out: "Vous êtes déconnecté",
    signed_out_explained: "Ce navigateur n’ouvre plus vos cahiers.",
    still_signed_in_at: "Vous êtes peut-être encore connecté à",
    sign_out_at: "Se déconnecter aussi de",
    sign_in_again: "Se connecter à nouveau",
    denied: [
        "Vous n’êtes pas connecté",
        "Vous avez refusé de vous identifier, ou cela vous a été refusé. Rien n’a changé ici.",
    ],
    provider_away: [
        "La connexion est impossible pour l’instant",
        "Le service qui vous identifie ne répond pas. Réessayez dans quelques minutes. Qui est déjà connecté le reste.",
    ],
    failed: [
        "Vous n’êtes pas connecté",
        "Le service qui vous identifie n’a pas donné de réponse valable. Recommencez ; si cela se répète, prévenez \
         l’exploitant de ce serveur.",
    ],
    level: [
        "Identifiez-vous plus sûrement",
        "Ce serveur demande un moyen d’identification plus sûr, par exemple votre carte ou son application. Recommencez avec lui.",
    ],
    nobody: [
        "Vous n’êtes pas connu ici",
        "Vous êtes bien identifié, mais ce serveur ne sait pas qui vous êtes. Adressez-vous à l’exploitant de ce serveur.",
    ],
    expired: [
        "Cette connexion n’est plus valable",
        "Elle a pris trop de temps, a déjà servi, ou le navigateur n’accepte pas les cookies. Recommencez.",
    ],
    other_attempt: [
        "Cette réponse n’est pas la bonne",
        "Elle ne répond pas à la connexion commencée dans ce navigateur. Si vous avez suivi un lien reçu, n’en tenez \
         pas compte. Sinon, recommencez.",
    ],
    forged: [
        "Rien n’a été fait",
        "Cette demande ne vient pas d’une page à jour de ce serveur. Revenez à la page d’accueil et recommencez.",
    ],
    away: ["Ce n’est pas possible pour l’instant", "Le serveur ne peut pas répondre. Réessayez dans un instant."],
};

pub(super) const ENGLISH: Sentences = Sentences {
    sign_in: "Sign in",
    ways: "Choose how you say who you are:",
    sign_in_at: "Sign in with",
    invented: "This is a demonstration. Choose who you are among these invented people:",
    signed_in_as: "You are",
    nameless: "somebody without a name",
    notebooks: "Your notebooks",
    no_notebook: "You are in nobody’s circle for now. The person cared for, their attending physician or the \
                  organisation in charge can bring you in.",
    sessions: "Where you are signed in",
    sessions_explained: "The browsers in which you are signed in. If you do not know one, sign it out.",
    since: "since",
    this_session: "This browser",
    end_session: "Sign out there",
    sign_out: "Sign out",
    sign_out_everywhere: "Sign out everywhere",
    signed_out: "You are signed out",
    signed_out_explained: "This browser does not open your notebooks any more.",
    still_signed_in_at: "You may still be signed in at",
    sign_out_at: "Sign out of",
    sign_in_again: "Sign in again",
    denied: [
        "You are not signed in",
        "You chose not to say who you are, or you were refused. Nothing has changed here.",
    ],
    provider_away: [
        "Signing in is not possible now",
        "The service that tells who you are does not answer. Try again in a few minutes. Who is signed in already stays so.",
    ],
    failed: [
        "You are not signed in",
        "The service that tells who you are gave no answer that can be believed. Try again; if it happens again, tell \
         the operator of this server.",
    ],
    level: [
        "Show more surely who you are",
        "This server asks for a surer way to show who you are, such as your card or its application. Try again with it.",
    ],
    nobody: [
        "You are not known here",
        "It is certain who you are, but this server does not know you. Ask the operator of this server.",
    ],
    expired: [
        "This sign-in does not hold any more",
        "It took too long, was used already, or the browser takes no cookies. Try again.",
    ],
    other_attempt: [
        "This is not the right answer",
        "It does not answer the sign-in that was begun in this browser. If you followed a link that was sent to you, \
         leave it. If not, try again.",
    ],
    forged: [
        "Nothing was done",
        "This request does not come from an up-to-date page of this server. Go back to the home page and try again.",
    ],
    away: ["This is not possible now", "The server cannot answer. Try again in a moment."],
};
