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
    /// The page of who saw a notebook.
    pub who_saw: &'static str,
    /// What it tells.
    pub who_saw_explained: &'static str,
    /// When nobody did.
    pub who_saw_nobody: &'static str,
    /// Who has no name there.
    pub somebody: &'static str,
    /// What somebody did, after their name; what they did it with follows.
    pub did_read: &'static str,
    /// See above.
    pub did_write: &'static str,
    /// See above.
    pub did_change: &'static str,
    /// See above.
    pub did_delete: &'static str,
    /// What somebody did, after their name.
    pub did_open: &'static str,
    /// See above.
    pub did_export: &'static str,
    /// One note, and what follows the number of several.
    pub notes: [&'static str; 2],
    /// The same of what is no note.
    pub others: [&'static str; 2],
    /// Between two.
    pub and: &'static str,
    /// The way to what was before.
    pub earlier: &'static str,
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
    /// The heading over signing in by mail.
    pub by_mail: &'static str,
    /// For whom that is.
    pub by_mail_explained: &'static str,
    /// The field of the address.
    pub mail: &'static str,
    /// Asks for a code.
    pub send_code: &'static str,
    /// Once it was asked for, whatever became of it.
    pub code_sent: &'static str,
    /// The field of the code.
    pub code: &'static str,
    /// It is another.
    pub wrong_code: &'static str,
    /// Sends the code.
    pub continue_: &'static str,
    /// The subject of the letter: it says nothing of health.
    pub letter_subject: &'static str,
    /// The letter, with the code at `{code}`.
    pub letter: &'static str,
    /// The way to invite somebody.
    pub invite: &'static str,
    /// Before the name of whose notebook it is.
    pub invite_to: &'static str,
    /// What comes of it.
    pub invite_explained: &'static str,
    /// The field of the first name.
    pub given: &'static str,
    /// The field of the last name.
    pub family: &'static str,
    /// The field of the relation.
    pub relation: &'static str,
    /// Makes it.
    pub make_invitation: &'static str,
    /// The title of one that was made.
    pub invitation: &'static str,
    /// Before the name of who is invited.
    pub invitation_for: &'static str,
    /// How it is used.
    pub invitation_explained: &'static str,
    /// The heading over invitations that nobody has accepted.
    pub waiting: &'static str,
    /// Before the moment at which one ends.
    pub until: &'static str,
    /// Withdraws one.
    pub withdraw: &'static str,
    /// The title for who is invited.
    pub invited: &'static str,
    /// After their name: what comes of accepting.
    pub invited_explained: &'static str,
    /// What relatives are, in the order in which they are offered.
    pub relations: [&'static str; 8],
    /// Nothing can be sent there.
    pub no_address: [&'static str; 2],
    /// It does not hold.
    pub no_invitation: [&'static str; 2],
    /// Who invited cannot bring anybody in now.
    pub not_now: [&'static str; 2],
    /// No more invitations before some are accepted.
    pub too_many: [&'static str; 2],
    /// A form lacks something.
    pub incomplete: [&'static str; 2],
    /// Only keepers invite.
    pub not_yours: [&'static str; 2],
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
    who_saw: "Qui a vu ce cahier",
    who_saw_explained: "Tout accès à ce cahier laisse une trace que personne ne peut effacer. Vos propres visites n’y sont pas reprises, ni ce qui touche aux notes que vous ne voyez pas.",
    who_saw_nobody: "Personne d’autre n’a ouvert ce cahier jusqu’ici.",
    somebody: "Quelqu’un dont le nom n’est pas connu",
    did_read: "a lu",
    did_write: "a écrit",
    did_change: "a modifié",
    did_delete: "a supprimé",
    did_open: "a ouvert ce cahier en urgence",
    did_export: "a fait une copie des données de tout le serveur",
    notes: ["une note", "notes"],
    others: ["un autre élément", "autres éléments"],
    and: " et ",
    earlier: "Plus ancien",
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
    by_mail: "Avec votre adresse de courriel",
    by_mail_explained: "Si vous avez accepté une invitation ici, un code vous est envoyé.",
    mail: "Adresse de courriel",
    send_code: "Recevoir un code",
    code_sent: "Si cette adresse convient, un code de huit chiffres vient d’y être envoyé. Il est valable dix minutes, dans ce navigateur seulement.",
    code: "Code reçu",
    wrong_code: "Ce n’est pas ce code. Essayez encore.",
    continue_: "Continuer",
    letter_subject: "Votre code",
    letter: "Votre code : {code}\n\nIl est valable dix minutes. Ne le donnez à personne. Si vous n’avez rien demandé, ne tenez pas compte de ce message.\n",
    invite: "Inviter un proche",
    invite_to: "Vous invitez dans le cahier de",
    invite_explained: "La personne invitée entrera dans le cercle et lira les notes destinées aux proches.",
    given: "Prénom",
    family: "Nom",
    relation: "Lien avec la personne",
    make_invitation: "Créer l’invitation",
    invitation: "Invitation",
    invitation_for: "Invitation pour",
    invitation_explained: "Montrez ce code ou envoyez ce lien à cette personne, et à elle seule : qui l’ouvre en premier l’accepte. Il est valable sept jours, une seule fois, et n’est affiché que maintenant.",
    waiting: "Invitations en attente",
    until: "Valable jusqu’au",
    withdraw: "Annuler cette invitation",
    invited: "Vous êtes invité",
    invited_explained: "vous êtes invité à rejoindre un cahier. Donnez votre adresse de courriel : un code y est envoyé, par lequel vous acceptez, et plus tard vous connectez.",
    relations: [
        "Conjoint ou conjointe",
        "Fille",
        "Fils",
        "Mère ou père",
        "Sœur ou frère",
        "Autre membre de la famille",
        "Autre proche",
        "Voisin ou voisine",
    ],
    no_address: ["Cette adresse n’est pas complète", "Vérifiez l’adresse de courriel et recommencez."],
    no_invitation: [
        "Cette invitation n’est plus valable",
        "Elle a été acceptée, elle est trop ancienne, ou l’adresse est incomplète. Demandez-en une autre.",
    ],
    not_now: [
        "Ce n’est pas possible pour l’instant",
        "Le cercle n’a pas pu être modifié. Réessayez dans un instant ; si cela se répète, demandez une autre invitation.",
    ],
    too_many: [
        "Trop d’invitations sont en attente",
        "Attendez que l’une d’elles soit acceptée, ou annulez celles qui ne servent plus.",
    ],
    incomplete: ["Il manque quelque chose", "Écrivez un prénom et un nom, et choisissez un lien."],
    not_yours: [
        "Vous ne pouvez pas inviter ici",
        "La personne accompagnée, qui la représente, son médecin traitant et la structure responsable tiennent le cercle.",
    ],
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
    who_saw: "Who saw this notebook",
    who_saw_explained: "Every access to this notebook leaves a trace that nobody can erase. Your own visits are left out, and so is what concerns notes that you do not see.",
    who_saw_nobody: "Nobody else has opened this notebook so far.",
    somebody: "Somebody whose name is not known",
    did_read: "read",
    did_write: "wrote",
    did_change: "changed",
    did_delete: "deleted",
    did_open: "opened this notebook in an emergency",
    did_export: "made a copy of the data of the whole server",
    notes: ["one note", "notes"],
    others: ["one other thing", "other things"],
    and: " and ",
    earlier: "Earlier",
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
    by_mail: "With your mail address",
    by_mail_explained: "If you accepted an invitation here, a code is sent to you.",
    mail: "Mail address",
    send_code: "Send me a code",
    code_sent: "If this address will do, a code of eight digits was just sent there. It holds for ten minutes, in this browser only.",
    code: "The code",
    wrong_code: "That is not the code. Try again.",
    continue_: "Continue",
    letter_subject: "Your code",
    letter: "Your code: {code}\n\nIt holds for ten minutes. Give it to nobody. If you asked for nothing, leave this message aside.\n",
    invite: "Invite a relative",
    invite_to: "You invite to the notebook of",
    invite_explained: "Who is invited enters the circle, and reads the notes meant for relatives.",
    given: "First name",
    family: "Last name",
    relation: "Relation to the person",
    make_invitation: "Make the invitation",
    invitation: "Invitation",
    invitation_for: "Invitation for",
    invitation_explained: "Show this code or send this link to that person alone: who opens it first accepts. It holds for seven days, once, and is shown only now.",
    waiting: "Invitations that wait",
    until: "Holds until",
    withdraw: "Withdraw this invitation",
    invited: "You are invited",
    invited_explained: "you are invited to join a notebook. Give your mail address: a code is sent there, by which you accept, and later sign in.",
    relations: [
        "Spouse or partner",
        "Daughter",
        "Son",
        "Parent",
        "Sister or brother",
        "Other family",
        "Friend",
        "Neighbour",
    ],
    no_address: ["This address is not complete", "Check the mail address and try again."],
    no_invitation: [
        "This invitation does not hold any more",
        "It was accepted, is too old, or the address is not complete. Ask for another.",
    ],
    not_now: [
        "This is not possible now",
        "The circle could not be changed. Try again in a moment; if it happens again, ask for another invitation.",
    ],
    too_many: [
        "Too many invitations wait",
        "Wait until one is accepted, or withdraw those that are of no use any more.",
    ],
    incomplete: ["Something is missing", "Write a first and a last name, and choose a relation."],
    not_yours: [
        "You cannot invite here",
        "The person cared for, who acts for them, their attending physician and the organisation in charge keep the circle.",
    ],
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
