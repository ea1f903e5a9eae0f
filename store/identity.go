package store

import (
	"fmt"

	"github.com/google/uuid"
)

// identify makes sure that the UID has its lasting identity. An object made by
// REST has its UUID as UID.
func (tx *Tx) identify(org PrincipalID, uid string) error {
	h := hashUID(uid)
	if tx.get(identityKey(org, h)) != nil {
		return nil
	}
	id, err := uuid.Parse(uid)
	if err != nil || len(uid) != 36 || tx.get(newKey(tableUUIDs).bytes(id[:])) != nil {
		if id, err = uuid.NewV7(); err != nil {
			return err
		}
	}
	alias, err := tx.alias(org)
	if err != nil {
		return err
	}
	i := Identity{Org: org, UID: uid, UUID: id, Alias: alias}
	tx.put(identityKey(org, h), packIdentity(&i))
	tx.put(newKey(tableUUIDs).bytes(id[:]), newKey('i').principal(org).bytes(h[:]))
	tx.put(newKey(tableAliases).principal(org).u32(i.Alias), newKey('i').bytes(h[:]))
	return nil
}

// maxAlias bounds aliases: those of instances are made of them by arithmetic
// and stay below 2^53 (MAPPING, "Identity").
const maxAlias = 1 << 26

// alias gives the organisation's next integer that was never used.
func (tx *Tx) alias(org PrincipalID) (uint32, error) {
	for {
		n := tx.next(metaAlias + string(key(nil).principal(org)))
		if n >= maxAlias {
			return 0, fmt.Errorf("organisation has used %d aliases: %w", n, ErrQuota)
		}
		if tx.get(newKey(tableAliases).principal(org).u32(uint32(n))) == nil {
			return uint32(n), nil
		}
	}
}
