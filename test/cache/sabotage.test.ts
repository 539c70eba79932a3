import { describeSabotages, describeTexts } from './describe-sabotage.js'

describeSabotages(['no fence'], 120)
describeTexts()
