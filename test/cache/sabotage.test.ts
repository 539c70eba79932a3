import { describeSabotages } from './describe-sabotage.js'

describeSabotages(['no fence'], 20)
