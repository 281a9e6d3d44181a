// What the page and the server say to each other. Names are the server's.
export interface Village { code: string; name: string; township: string; lon: number | null; lat: number | null; synthetic: boolean }
export interface Asked { id: string; name: string; drill: boolean; questions: string[]; activated: boolean }
export interface Home {
  record: string; household: string; name: string; village: string; members: number; slip: string; status: string; received_at: string; doubtful: boolean;
  photos_missing: number; decided_fen: number | null; approved_fen: number; paid_fen: number; advance_paid_at: string | null; papers_due: string | null;
  card_returned: boolean;
}
export interface Bundle { now: string; person: string; name: string; kept_days: number; incidents: Asked[]; villages: Village[]; roster: Home[] }
export interface Receipt {
  id: string; seq: number; outcome: 'accepted' | 'had' | 'case' | 'refused'; slip?: string; slip_code?: string; code?: string; field?: string; message?: string;
}
export interface Member { name: string; id_number: string; helper?: string }
export type PhotoKind = 'damage' | 'signature' | 'paper' | 'place';
export interface Photo {
  digest: string; kind: PhotoKind; size: number; taken_at: string; lon?: number; lat?: number; accuracy_m?: number;
}
/** A household being written down: the answers so far, in the server's words. */
export interface Draft {
  id: string; incident: string; step: number; started: string;
  village?: string; members: Member[]; phone?: string; noPhone?: boolean; account?: string; bank?: string; family?: string;
  rooms: { collapsed: number; severe: number; moderate: number }; structure?: string;
  casualties: { dead: number; missing: number; injured: number }; relocated?: string; only_home?: boolean; occupied?: boolean;
  circumstances: string[]; needs: string[]; people_in_need: number; home_county?: string;
  point?: { lon: number; lat: number; accuracy_m: number; by: 'gps' | 'village' }; landmark: string; photos: Photo[];
  channel: string; presence: string; recipient?: { name: string; id_number: string; reason: string }; note: string; unsigned?: boolean;
}
