"""Where Django looks for the models of this app; everyone else imports them from their rooms."""

import matching.matches.models
