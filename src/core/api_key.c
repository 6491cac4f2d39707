/*
 * api_key.c: whether an API key that a user made counts now (rule 7.7).
 *
 * Decides through evaluator.c what the creator of a key may do now. Must not know who is asking.
 */
#include "postgres.h"

#include "core/api_key.h"
#include "core/evaluator.h"

/*
 * Whether a membership is a user's in an organization itself. A user who leaves and comes back gets
 * another membership.
 */
bool
seeme_is_organization_membership(SeemeStore *store, const pg_uuid_t *id,
								 const pg_uuid_t *organization, const pg_uuid_t *user)
{
	SeemeMembership membership;

	return seeme_read_membership(store, id, &membership) &&
		membership.kind == SEEME_SCOPE_ORGANIZATION &&
		seeme_uuid_equal(&membership.organization_id, organization) &&
		seeme_uuid_equal(&membership.user_id, user);
}

/*
 * Why a key does not count now, in words for administrators; NULL if it counts.
 *
 * A key that privileged code made depends on no creator, nor does a user's own key without an
 * organization. Every other key counts while its creator could make it now, under the same
 * memberships as then. So an expulsion ends a key for good, whichever commits first. *creator is
 * set to the creator if the answer depends on them.
 */
const char *
seeme_api_key_defect(SeemeStore *store, const SeemeApiKey *key, SeemePrincipal **creator)
{
	bool		is_own = key->has_creator && seeme_uuid_equal(&key->created_by, &key->user_id);
	SeemeGrants *grants;
	SeemePlace *place;
	pg_uuid_t	organization;

	if (!key->has_creator || (is_own && !key->has_organization))
		return NULL;
	if (!key->has_organization)
		return "it is for somebody else, and limited to no organization";
	*creator = palloc0(sizeof(SeemePrincipal));
	seeme_init_principal(*creator, store, &key->created_by);
	if ((*creator)->is_refused)
		return "its creator is unknown or disabled";
	if (!seeme_is_organization_membership(store, &key->creator_membership_id,
										  &key->organization_id, &key->created_by))
		return "its creator has left the organization since";
	grants = seeme_get_grants(*creator, &key->organization_id);
	if (!seeme_belongs(grants))
		return "its creator's membership is not current";
	if (is_own)
		return NULL;
	if (!seeme_read_service(store, &key->user_id, &organization) ||
		!seeme_uuid_equal(&organization, &key->organization_id))
		return "its user is no service of the organization";
	if (!seeme_is_organization_membership(store, &key->bearer_membership_id,
										  &key->organization_id, &key->user_id))
		return "its user has left the organization since";
	place = seeme_organization_place(&key->organization_id);
	if (!seeme_evaluate(*creator, place, "organizations:manage_members"))
		return "its creator does not manage the organization's members";
	for (int i = 0; i < key->ncodes; i++)
		if (!seeme_evaluate(*creator, place, key->codes[i]))
			return "its creator does not hold all of its permissions";
	return NULL;
}

/*
 * Limits a principal to what an API key allows. Refuses the principal when the key is invalid: see
 * seeme_limit_to_valid_api_key() and seeme_api_key_defect().
 */
void
seeme_limit_to_api_key(SeemePrincipal *principal, const pg_uuid_t *key_id)
{
	seeme_limit_to_valid_api_key(principal, key_id);
	if (!principal->is_refused &&
		seeme_api_key_defect(principal->store, principal->key, &principal->creator) != NULL)
		principal->is_refused = true;
}
