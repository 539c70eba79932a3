import { describeRoom } from './describe-room.js'

describeRoom(1_000_000, 64)
