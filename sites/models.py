"""Where Django looks for the models of this app; everyone else imports them from their rooms."""

import sites.engine.models
import sites.gate.models
import sites.reference.models
import sites.tenants.models
