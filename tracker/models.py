"""Where Django looks for the models of this app; everyone else imports them from their rooms."""

import tracker.conversations.models
import tracker.figures.models
import tracker.operations.models
import tracker.releases.models
import tracker.reports.models
import tracker.survey.models
