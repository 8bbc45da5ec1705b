"""Where Django looks for the models of this app; everyone else imports them from their rooms."""

import referrals.promotion.models
import referrals.requests.models
import referrals.wording.models
