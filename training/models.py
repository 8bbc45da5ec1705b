"""Where Django looks for the models of this app; everyone else imports them from their rooms."""

import training.commitment.models
import training.credits.models
import training.recruitment.models
import training.sessions.models
import training.supporters.models
