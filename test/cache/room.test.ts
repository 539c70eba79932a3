import { describeRoom } from './describe-room.js'

describeRoom(20_000, 4)
